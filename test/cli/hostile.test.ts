import { describe, expect, it } from 'vitest'
import { PROBE_KINDS } from '../../src/index.js'
import { cliFleet, expectOneLine } from '../harness/cli-fleet.js'

/** What people and programs get wrong, and what they are told: the file, the path in it, and the value. */

const inFile = (message: string) => `busbar: fleet.yaml: ${message}`
const api = (settings: string) => `providers:\n  api: ${settings}\n`
const probe = (settings: string) => api(`{ probe: { kind: http, url: 'http://a/', ${settings} } }`)
const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]']
for (const [name, last] of ['ba', 'cb', 'dc', 'ed', 'fe'])
  bomb.push(`${name ?? ''}: &${name ?? ''} [${Array.from({ length: 9 }, () => `*${last ?? ''}`).join(', ')}]`)

const files: readonly (readonly [what: string, content: string, message: string])[] = [
  [
    'an unknown key of the file',
    'provider: { api: {} }',
    'provider: unknown key (got {"api":{}}); known: redis, namespace, defaults, providers, alerts',
  ],
  [
    'an unknown setting',
    api('{ breaker: { treshold: 3 } }'),
    'providers.api.breaker.treshold: unknown setting (got 3)',
  ],
  ['a key given twice', api('{ slowMs: 1, slowMs: 2 }'), 'Map keys must be unique at line 2, column 21'],
  [
    'a provider given twice',
    'providers:\n  api: {}\n  api: {}\n',
    'Map keys must be unique at line 3, column 3',
  ],
  [
    'aliases that grow without end',
    `${bomb.join('\n')}\nproviders: { api: { slowMs: *f } }`,
    'Excessive alias count indicates a resource exhaustion attack',
  ],
  ['an alias of nothing', api('*gone'), 'Unresolved alias (the anchor must be set before the alias): gone'],
  [
    'a tag',
    api('{ slowMs: !!js/function "x" }'),
    'Unresolved tag: tag:yaml.org,2002:js/function at line 2, column 18',
  ],
  [
    'two documents',
    'providers: { a: {} }\n---\nproviders: { b: {} }\n',
    'Source contains multiple documents; please use YAML.parseAllDocuments() at line 2, column 1',
  ],
  ['a list of providers', 'providers: [api]', 'providers: expected settings below it, got ["api"]'],
  ['no providers', 'providers: {}', 'providers: expected at least one, got none'],
  ['an empty file', '', 'expected the keys redis, namespace, defaults, providers, alerts, got nothing'],
  [
    'no YAML',
    '{{{{',
    'Flow map in block collection must be sufficiently indented and end with a } at line 1, column 5',
  ],
  ['brackets without end', `providers: ${'['.repeat(50_000)}`, 'nested too deeply'],
  [
    'text for a number',
    api('{ slowMs: "100" }'),
    'providers.api.slowMs: expected a whole number of ms, or a time such as 500ms, 30s or 1h, got "100"',
  ],
  [
    'an underscore in a number',
    api('{ slowMs: 1_000 }'),
    'providers.api.slowMs: expected a whole number of ms, or a time such as 500ms, 30s or 1h, got "1_000"',
  ],
  [
    'infinity',
    api('{ breaker: { cooldownMs: .inf } }'),
    'providers.api.breaker.cooldownMs: expected a whole number from 1 to 2592000000, got Infinity',
  ],
  [
    'a yes that is no boolean',
    api('{ breaker: { enforce: yes } }'),
    'providers.api.breaker.enforce: expected true or false, got "yes"',
  ],
  [
    'two settings that cannot both be',
    api('{ breaker: { cooldownMs: 9, maxCooldownMs: 8 } }'),
    'providers.api.breaker.maxCooldownMs: maxCooldownMs 8 is below cooldownMs 9',
  ],
  [
    'a wrong default',
    'defaults: { slowMs: x }\nproviders: { api: {} }',
    'defaults.slowMs: expected a whole number of ms, or a time such as 500ms, 30s or 1h, got "x"',
  ],
  [
    'a unit that is none',
    api('{ breaker: { cooldownMs: 30sec } }'),
    'providers.api.breaker.cooldownMs: expected a whole number of ms, or a time such as 500ms, 30s or 1h, got "30sec"',
  ],
  [
    'a part of a ms',
    probe('intervalMs: 10s, timeoutMs: 0.5ms'),
    'providers.api.probe.timeoutMs: expected a whole number of ms, or a time such as 500ms, 30s or 1h, got "0.5ms"',
  ],
  [
    'a time beyond the bounds, which is named as it was written',
    api('{ breaker: { cooldownMs: 31d } }'),
    'providers.api.breaker.cooldownMs: expected a whole number from 1 to 2592000000, got 2678400000 (31d)',
  ],
  [
    'a default beyond the bounds',
    'defaults: { slowMs: 2d }\nproviders: { api: {} }',
    'defaults.slowMs: expected a whole number from 1 to 86400000, got 172800000 (2d)',
  ],
  [
    'an id that is a number to YAML',
    'providers: { 1.50: {} }',
    'providers.1.50: YAML reads this id as the number 1.5; write "1.50"',
  ],
  [
    'a mask without a value behind it',
    probe("headers: { x-key: '***' }"),
    'providers.api.probe.headers.x-key: *** stands for the value that is in Redis, and there is none: give the value, or ${env:NAME}, or export it with --secrets',
  ],
  [
    'an id that could be no key',
    'providers: { "a b": {} }',
    'providers.a b.id: expected 1 to 128 characters of A-Z a-z 0-9 . _ : / @ -, got "a b"',
  ],
  [
    'a prototype as a setting',
    'providers: { api: { __proto__: { slowMs: 1 } } }',
    'providers.api.__proto__: unknown setting (got {"slowMs":1})',
  ],
  [
    'a probe of an unknown kind',
    api('{ probe: { kind: carrier-pigeon } }'),
    `providers.api.probe.kind: expected one of ${PROBE_KINDS.join(', ')}, got "carrier-pigeon"`,
  ],
  [
    'a password in a URL, which is not shown',
    api("{ probe: { kind: http, url: 'http://u:hunter2@a/' } }"),
    'providers.api.probe.url: expected an absolute http: or https: URL without credentials',
  ],
  [
    'a reference that would be sent as it stands, with what is around it not shown',
    probe("headers: { authorization: 'hunter2 ${API_KEY}' }"),
    'providers.api.probe.headers.authorization: expected references to environment variables as ${env:NAME}',
  ],
  [
    'a header that would end the request',
    probe('headers: { x: "a\\r\\nb" }'),
    'providers.api.probe.headers.x: expected header names and values as HTTP allows them, its value is not shown',
  ],
  [
    'another fleet’s file',
    'namespace: elsewhere\nproviders: { api: {} }',
    'namespace: the file is for elsewhere, and this goes to <ns>; check --namespace',
  ],
  [
    'another Redis’s file, whose password is not shown',
    'redis: redis://:hunter2@elsewhere:1\nproviders: { api: {} }',
    'redis: the file is for redis://***@elsewhere:1, and this goes to <redis>; check --redis',
  ],
]

describe('busbar apply refuses with 64, and changes nothing', () => {
  it.each(files)('%s', async (_what, content, message) => {
    const fleet = await cliFleet()
    fleet.file(content)
    const result = await fleet.run(['apply', '-f', 'fleet.yaml', '--yes'])
    const steady = result.stderr
      .replaceAll(fleet.namespace, '<ns>')
      .replace(/redis:\/\/127[\d.:]+/g, '<redis>')
    expect({ code: result.code, stdout: result.stdout }).toEqual({ code: 64, stdout: '' })
    expectOneLine({ ...result, stderr: steady }, inFile(message))
    expect(await fleet.busbar.providers()).toEqual([])
  })
})

const calls: readonly (readonly [args: string[], message: string])[] = [
  [['apply'], 'apply: give either --file <file> or --release [id...]'],
  [['apply', '-f', 'fleet.yaml', '--release'], 'apply: give either --file <file> or --release [id...]'],
  [
    ['apply', '-f', 'none.yaml'],
    "none.yaml cannot be read: ENOENT: no such file or directory, open 'none.yaml'",
  ],
  [['apply', '-f', '.'], '. cannot be read: EISDIR: illegal operation on a directory, read'],
  [
    ['apply', '-f', '-'],
    'standard input: expected the keys redis, namespace, defaults, providers, alerts, got nothing',
  ],
  [
    ['apply', '-f', 'a', '--dryrun'],
    "unknown option '--dryrun' (Did you mean --dry-run?); busbar --help says more",
  ],
  [
    ['apply', 'fleet.yaml'],
    "too many arguments for 'apply'. Expected 0 arguments but got 1; busbar --help says more",
  ],
  [
    ['apply', '--release', 'a b', '--yes'],
    'id: expected 1 to 128 characters of A-Z a-z 0-9 . _ : / @ -, got "a b"',
  ],
  [['probe'], "missing required argument 'id'; busbar --help says more"],
  [
    ['probe', '../../etc'.repeat(20)],
    `id: expected 1 to 128 characters of A-Z a-z 0-9 . _ : / @ -, got "${'../../etc'.repeat(20).slice(0, 79)}…`,
  ],
  [['probe', 'a\u001b[2J'], 'id: expected 1 to 128 characters of A-Z a-z 0-9 . _ : / @ -, got "a\\u001b[2J"'],
  [
    ['watch', 'api', 'other'],
    "too many arguments for 'watch'. Expected 1 argument but got 2; busbar --help says more",
  ],
  [['remove'], "missing required argument 'id'; busbar --help says more"],
  [['remove', 'a b'], 'id: expected 1 to 128 characters of A-Z a-z 0-9 . _ : / @ -, got "a b"'],
  [['export', 'a b'], 'id: expected 1 to 128 characters of A-Z a-z 0-9 . _ : / @ -, got "a b"'],
  [['doctor', '--fix'], "unknown option '--fix'; busbar --help says more"],
  [
    ['events', '-f', '--count', '-1'],
    "option '--count <n>' argument '-1' is invalid. Expected a whole number from 1 to 999999; busbar --help says more",
  ],
  [
    ['events', 'a', 'b'],
    "too many arguments for 'events'. Expected 1 argument but got 2; busbar --help says more",
  ],
]

describe('a wrong call is refused with 64 in one line', () => {
  it.each(calls)('busbar %j', async (args, message) => {
    const fleet = await cliFleet()
    const result = await fleet.run(args)
    expect({ code: result.code, stdout: result.stdout }).toEqual({ code: 64, stdout: '' })
    expectOneLine(result, `busbar: ${message}`)
  })
})
