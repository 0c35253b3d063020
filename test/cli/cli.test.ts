import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { connect, type Busbar, type Provider } from '../../src/index.js'
import { runCli, spawnCli, type CliResult } from '../harness/cli.js'
import { redisUrl, testNamespace } from '../harness/redis.js'

let busbar: Busbar
let namespace = ''
let folder = ''
let provider: Provider

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'busbar-cli-'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

beforeEach(async () => {
  namespace = testNamespace()
  busbar = await connect({ redis: redisUrl(), namespace, logger: false, commandTimeoutMs: 5_000 })
  provider = await busbar.provider('api', { breaker: { cooldownMs: 60_000 } })
  return async () => {
    for (const id of await busbar.providers()) await busbar.remove(id)
    await busbar.close()
  }
})

/** In a folder where no fleet was started. */
const busbarCli = (...args: string[]) =>
  runCli([...args, '--redis', redisUrl(), '--namespace', namespace], { cwd: folder })

async function json(...args: string[]): Promise<{ code: number | null; value: Record<string, unknown> }> {
  const { code, stdout } = await busbarCli(...args, '--json')
  return { code, value: JSON.parse(stdout) as Record<string, unknown> } // an object, or the test fails below
}

/** One line for a person, and no stack. */
function expectOneLine({ stderr }: CliResult, pattern: RegExp): void {
  expect(stderr).toMatch(pattern)
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(stderr).not.toMatch(/\n\s+at /)
}

async function fail(times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) await provider.recordFailure()
}

describe('busbar status', () => {
  it('shows the members of a group, and how the group is', async () => {
    for (const id of ['a', 'b']) await (await busbar.provider(id, { group: 'llm' })).recordSuccess()
    expect((await busbarCli('status', '--group', 'llm')).stdout).toMatch(
      /^a .*\n^b .*\n\ngroup llm: ok, 2 of 2 members admit calls$/m,
    )
    await busbar.get('a')?.trip()
    const grouped = await busbarCli('status', '--group', 'llm')
    expect(grouped.code).toBe(2)
    expect(grouped.stdout).not.toMatch(/^api/m)
    expect(grouped.stdout).toMatch(/^group llm: degraded, 1 of 2 members admits calls$/m)
    expect((await busbarCli('status', 'b')).stdout).toMatch(
      /^ +group +llm is degraded; priority 0, weight 1$/m,
    )
    await busbar.get('b')?.markUnhealthy()
    const { value } = await json('status', '--group', 'llm')
    expect(value['groups']).toEqual([
      { name: 'llm', health: 'exhausted', members: ['a', 'b'], admissible: [] },
    ])
    expect((await json('status', 'a')).value).toMatchObject({ group: 'llm', groupHealth: 'exhausted' })
    const none = await busbarCli('status', '--group', 'nobody')
    expect(none.code).toBe(3)
    expectOneLine(none, /no provider in namespace \S+ is a member of group nobody/)
  })

  it('answers 0 when all is well, and shows a row a provider', async () => {
    await provider.recordSuccess()
    await busbar.flush()
    const { code, stdout, stderr } = await busbarCli('status')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^PROVIDER +HEALTH +CIRCUIT +RETRY IN +SUCCESS +LAST PROBE .*WHY$/m)
    expect(stdout).toMatch(/^api +● healthy +closed +- +100% of 1 +-/m)
  })

  it('answers 3 when nothing is known of one, unless another is seen to be down', async () => {
    const unseen = await busbarCli('status')
    expect([unseen.code, unseen.stdout]).toEqual([3, expect.stringMatching(/healthy .* no outcome yet$/m)])
    const other = await busbar.provider('other')
    await other.record('degraded')
    await busbar.flush()
    const besideDegraded = await busbarCli('status')
    await other.trip()
    const besideDown = await busbarCli('status')
    expect([besideDegraded.code, besideDown.code]).toEqual([3, 2])
  })

  it('answers 1 when one is degraded, 2 when one is unhealthy', async () => {
    await provider.markDegraded({ reason: 'slow today' })
    const degraded = await busbarCli('status')
    expect(degraded.stdout).toMatch(/▲ degraded .* marked degraded by/)
    await fail(3)
    await provider.resume()
    const unhealthy = await busbarCli('status', 'api')
    expect([degraded.code, unhealthy.code]).toEqual([1, 2])
    expect(unhealthy.stdout).toMatch(/why +3 consecutive failures, last: unhealthy/)
  })

  it('answers 3 for a provider or a namespace that nobody knows', async () => {
    const [provider, fleet] = await Promise.all([
      busbarCli('status', 'apj'),
      runCli(['status', '--redis', redisUrl(), '--namespace', testNamespace()], { cwd: folder }),
    ])
    expect([provider.code, fleet.code]).toEqual([3, 3])
    expectOneLine(provider, /no provider apj in namespace .*; registered there: api/)
    expectOneLine(fleet, /no provider is registered in namespace/)
  })

  it('tells a program the same in the words of the library', async () => {
    await fail(3)
    const all = await json('status')
    const one = await json('status', 'api')
    expect([all.code, one.code]).toEqual([2, 2])
    const expected = {
      id: 'api',
      health: 'unhealthy',
      state: 'open',
      reason: '3 consecutive failures, last: unhealthy',
      consecutiveFailures: 3,
      historyTotal: 3,
      successRate: 0,
    }
    expect(one.value).toMatchObject(expected)
    expect(all.value).toMatchObject({ namespace, providers: [expected] })
  })

  it('never shows the values of a probe’s headers', async () => {
    const headers = { authorization: 'Bearer secret' }
    await busbar.provider('guarded', { probe: { kind: 'http', url: 'http://127.0.0.1:1/', headers } })
    const { stdout } = await busbarCli('status', '--json')
    expect(stdout).toContain('authorization')
    expect(stdout).not.toContain('secret')
  })
})

describe('busbar explain', () => {
  it('says why the circuit is open, until when, and what closes it', async () => {
    await fail(3)
    const { code, stdout } = await busbarCli('explain', 'api')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^api is unhealthy: its circuit is open, and calls are refused\.$/m)
    expect(stdout).toMatch(/why +3 consecutive failures, last: unhealthy\./)
    expect(stdout).toMatch(/since +It is open since .* ago\), by /)
    expect(stdout).toMatch(/until .*\(in 5\ds\); then it is half_open and lets 1 trial through/)
    expect(stdout).toMatch(/closes +1 successful trial closes it.*busbar reset api/)
    expect(stdout).toMatch(
      /against it +3 failed calls in a row \(3 open it\)\. In the last 1m: 0% of 3 records/,
    )
  })

  it('says who marked a provider, why, and until when', async () => {
    await provider.markTerminated({ reason: 'replaced', actor: 'alice', forMs: 3_600_000 })
    const { stdout } = await busbarCli('explain', 'api')
    expect(stdout).toMatch(/mark +Marked terminated by alice at .*, because: replaced\. Calls are refused/)
    expect(stdout).toMatch(/It ends in 59m .*busbar resume api/)
    const { value } = await json('explain', 'api')
    expect(value).toMatchObject({
      provider: { health: 'terminated', mark: 'terminated', markActor: 'alice' },
    })
    expect(value['sentences']).toContainEqual({
      topic: 'mark',
      text: expect.stringContaining('alice') as string,
    })
  })

  it('does not let a reason move the cursor', async () => {
    await provider.trip({ reason: 'clear \u001b[2J\u0007 this\nand that' })
    for (const command of ['explain', 'status', 'events']) {
      const { stdout } = await busbarCli(command, 'api')
      // eslint-disable-next-line no-control-regex -- these are what must not be there
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
      expect(stdout).toMatch(/clear +\[2J +this and that/i)
    }
  })
})

describe('busbar trip, reset, mark, resume', () => {
  it('trip opens the circuit, with reason, actor and end', async () => {
    const { code, stdout } = await busbarCli(
      'trip',
      'api',
      '--reason',
      'red page',
      '--actor',
      'bob',
      '--for',
      '5m',
    )
    expect(code).toBe(0)
    expect(stdout).toMatch(/^api ✖ unhealthy, circuit open, retry in (?:5m|4m 5\ds) \(red page\)$/m)
    const { state, retryAfterMs } = await provider.snapshot()
    expect(state).toBe('open')
    expect(retryAfterMs).toBeGreaterThan(240_000)
    expect((await provider.events()).at(-1)).toMatchObject({
      kind: 'opened',
      actor: 'bob',
      reason: 'red page',
    })
  })

  it('trip without --for lasts until reset, which says by whom', async () => {
    const tripped = await json('trip', 'api')
    expect(tripped.value).toMatchObject({ state: 'open', retryAfterMs: null })
    const { stdout } = await busbarCli('reset', 'api', '--reason', 'fixed')
    expect(stdout).toMatch(/^api ● healthy, circuit closed \(fixed\)$/m)
    expect((await provider.events()).at(-1)?.actor).toMatch(/^.+@.+$/)
  })

  it.each(['unhealthy', 'degraded', 'terminated'])('mark sets %s, resume clears it', async (mark) => {
    const marked = await json('mark', 'api', mark, '--reason', 'by hand', '--for', '90s')
    expect(marked.value).toMatchObject({ health: mark, mark, markReason: 'by hand' })
    expect(marked.value['markForMs']).toBeGreaterThan(60_000)
    const resumed = await json('resume', 'api')
    expect(resumed.value).toMatchObject({ health: 'healthy', mark: null })
  })

  it('touch no provider that nobody registered', async () => {
    const calls = [
      ['trip', 'new'],
      ['reset', 'new'],
      ['mark', 'new', 'degraded'],
      ['resume', 'new'],
    ]
    for (const call of calls) expect((await busbarCli(...call)).code).toBe(3)
    expect(await busbar.providers()).toEqual(['api'])
  })
})

describe('busbar history and events', () => {
  it('show the newest, oldest first, as many as asked for', async () => {
    await provider.recordSuccess()
    await fail(3)
    const history = await busbarCli('history', 'api')
    expect(history.stdout).toMatch(/SINCE +OUTCOME +COUNT\n.* healthy +1\n.* unhealthy +\d/)
    expect(history.stdout).toMatch(/^api: 1 of 4 healthy \(25%\) in the last 1m$/m)
    const one = await json('history', 'api', '--count', '1')
    expect(one.value).toMatchObject({ id: 'api', historyTotal: 4, history: [{ status: 'unhealthy' }] })
    const events = await busbarCli('events', 'api')
    expect(events.stdout).toMatch(/AT +EVENT +BY +REASON\n.*registered.*\n.*opened.* 3 consecutive failures/)
    const newest = await json('events', 'api', '--count', '1')
    expect(newest.value).toMatchObject({
      id: 'api',
      events: [{ kind: 'opened', from: 'closed', to: 'open' }],
    })
  })
})

describe('a wrong call answers 64 in one line', () => {
  it.each<[RegExp, string[]]>([
    [/unknown command 'sttaus'.*Did you mean status/, ['sttaus']],
    [/missing required argument 'id'/, ['trip']],
    [/missing required argument 'mark'/, ['mark', 'api']],
    [/'purple' is invalid.*unhealthy, degraded, terminated/, ['mark', 'api', 'purple']],
    [/too many arguments/, ['explain', 'api', 'more']],
    [/unknown option '--bogus'/, ['status', '--bogus']],
    [/'soon' is invalid.*30s, 5m/, ['trip', 'api', '--for', 'soon']],
    [/'-5s' is invalid/, ['trip', 'api', '--for', '-5s']],
    [/'0' is invalid/, ['mark', 'api', 'degraded', '--for', '0']],
    [/forMs: expected a whole number from 1 to/, ['trip', 'api', '--for', '99999999d']],
    [/unknown option '--for'/, ['reset', 'api', '--for', '5s']],
    [/'0' is invalid/, ['history', 'api', '--count', '0']],
    [/'1e3' is invalid/, ['events', 'api', '--count', '1e3']],
    [/id: expected 1 to 128 characters .* got "a b"/, ['explain', 'a b']],
    [/id: expected/, ['reset', '']],
    [/reason: expected text of at most 500/, ['reset', 'api', '--reason', 'x'.repeat(501)]],
    [/actor: expected text of at most 128/, ['reset', 'api', '--actor', 'x'.repeat(129)]],
  ])('%s', async (pattern, args) => {
    const result = await busbarCli(...args)
    expect(result.code).toBe(64)
    expect(result.stdout).toBe('')
    expectOneLine(result, pattern)
  })

  it('also for addresses that are none, and says it in JSON to a program', async () => {
    const address = await runCli(['status', '--redis', 'localhost:6379', '--json'], { cwd: folder })
    const space = await runCli(['status', '--redis', redisUrl(), '--namespace', 'a b'], { cwd: folder })
    expect([address.code, space.code]).toEqual([64, 64])
    expectOneLine(address, /redis: expected redis:\/\//)
    expectOneLine(space, /namespace: expected 1 to 128 characters/)
    expect(JSON.parse(address.stdout)).toMatchObject({ error: { code: 'settings_invalid' } })
  })

  it('help has examples, and names every command', async () => {
    const [main, trip, bare] = await Promise.all([runCli(['--help']), runCli(['trip', '--help']), runCli([])])
    expect([main.code, trip.code, bare.code]).toEqual([0, 0, 64])
    expect(trip.stdout).toMatch(/Examples:\n +\$ busbar trip openai/)
    for (const name of ['probe', 'apply', 'doctor', 'watch'])
      expect(main.stdout).toMatch(new RegExp(`^  ${name} `, 'm'))
  })
})

describe('which Redis', () => {
  const silent: Server = createServer(() => undefined)
  let port = 0
  beforeAll(async () => {
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    port = (silent.address() as AddressInfo).port // a TCP server's address is never a path
    return () => silent.close()
  })

  it('one that refuses or never answers ends any command in time, with 3', async () => {
    for (const redis of ['redis://127.0.0.1:1', `redis://:hidden@127.0.0.1:${port}`]) {
      // The third shows how long a process takes to start on this machine.
      const [bare, ...results] = await Promise.all([
        spawnCli(['--help'], { cwd: folder }),
        spawnCli(['status', '--redis', redis], { cwd: folder }),
        spawnCli(['trip', 'api', '--redis', redis, '--json'], { cwd: folder }),
      ])
      for (const result of results) {
        expect(result.code).toBe(3)
        expect(result.tookMs).toBeLessThan(3_000 + 3 * bare.tookMs) // about 2 s, and the start
        expectOneLine(result, /Redis at redis:\/\/.* does not answer .*check --redis/)
        expect(result.stderr).not.toContain('hidden')
      }
      expect(JSON.parse(results[1].stdout)).toMatchObject({ error: { code: 'redis_unavailable' } })
    }
  })

  it('is read from .busbar/url, with its namespace; --namespace goes over it', async () => {
    const own = mkdtempSync(join(folder, 'joined-'))
    mkdirSync(join(own, '.busbar'))
    writeFileSync(join(own, '.busbar', 'url'), `redis=${redisUrl()} namespace=${namespace}\n`)
    const joined = await runCli(['status', '--json'], { cwd: own })
    expect(JSON.parse(joined.stdout)).toMatchObject({ namespace, providers: [{ id: 'api' }] })
    const other = await runCli(['status', '--namespace', `${namespace}-other`], { cwd: own })
    expect(other.code).toBe(3)
    writeFileSync(join(own, '.busbar', 'url'), 'redis=redis://127.0.0.1:1 namespace=gone\n')
    expectOneLine(await runCli(['status'], { cwd: own }), /from .busbar\/url; is busbar start still running/)
  })

  it('is never guessed from the environment', async () => {
    const result = await runCli(['status'], { cwd: folder, env: { REDIS_URL: redisUrl() } })
    expect(result.code).toBe(64)
    expectOneLine(result, /Give --redis .*\.busbar\/url/)
  })
})

describe('colour', () => {
  it('is for terminals only, unless it is forced; NO_COLOR has the last word', async () => {
    const call = ['status', '--redis', redisUrl(), '--namespace', namespace]
    const [piped, forced, none] = await Promise.all([
      runCli(call, { cwd: folder }),
      runCli(call, { cwd: folder, env: { FORCE_COLOR: '1' } }),
      runCli(call, { cwd: folder, env: { FORCE_COLOR: '1', NO_COLOR: '1' } }),
    ])
    expect(piped.stdout).not.toContain('\u001b')
    expect(forced.stdout).toContain('\u001b[32m● healthy')
    expect(none.stdout).not.toContain('\u001b')
  })
})

describe('busbar start --config', () => {
  it.each<[string, RegExp, string]>([
    [
      'an unknown key',
      /busbar\.yaml: provider: unknown key \(got .*"a".*\); known: redis/,
      'provider: { a: {} }',
    ],
    [
      'an unknown setting',
      /: providers\.a\.breaker\.treshold: unknown setting \(got 3\)/,
      'providers: { a: { breaker: { treshold: 3 } } }',
    ],
    [
      'a wrong default',
      /: defaults\.slowMs: expected .*got "x"/,
      'defaults: { slowMs: x }\nproviders: { a: }',
    ],
    ['a wrong namespace', /: namespace: expected 1 to 128 .*got "a b"/, 'namespace: a b\nproviders: { a: }'],
    ['no providers', /: providers: expected at least one/, 'namespace: a'],
    ['a list', /: providers: expected settings below it, got \["a"\]/, 'providers: [a]'],
    ['broken YAML', /busbar\.yaml: .*line 1/, 'providers: { a: '],
    ['an empty file', /: expected the keys redis, namespace, defaults, providers, alerts, got nothing/, ''],
  ])('refuses %s, naming file, path and value', async (_what, pattern, content) => {
    const own = mkdtempSync(join(folder, 'config-'))
    writeFileSync(join(own, 'busbar.yaml'), content)
    const call = ['start', '--config', 'busbar.yaml', '--redis', redisUrl()]
    const own_namespace = content.includes('namespace') ? [] : ['--namespace', namespace]
    const result = await runCli([...call, ...own_namespace], { cwd: own })
    expect(result.code).toBe(64)
    expectOneLine(result, pattern)
  })

  it('refuses a file that is not there, and --redis without --config', async () => {
    const [missing, sample] = await Promise.all([
      runCli(['start', '--config', 'none.yaml'], { cwd: folder }),
      runCli(['start', '--redis', redisUrl()], { cwd: folder }),
    ])
    expect([missing.code, sample.code]).toEqual([64, 64])
    expectOneLine(missing, /none\.yaml cannot be read/)
    expectOneLine(sample, /the sample job has a Redis of its own/)
  })
})
