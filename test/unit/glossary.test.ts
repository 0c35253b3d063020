import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { newCounters } from '../../src/client/shared/log.js'
import { DEFAULTS } from '../../src/config/defaults.js'
import {
  FLEET_KEYS,
  HOOK_KEYS,
  PROVIDER_KEYS,
  QUEUE_KEYS,
  NAMED_QUEUES_KEY,
  SHARD_KEYS,
} from '../../src/redis/keys.js'
import * as published from '../../src/index.js'
import { CIRCUIT_FIELDS } from '../../src/model/circuit-fields.js'
import { SETTING_ENTRIES, SETTINGS_ABOUT } from '../../src/model/setting-fields.js'
import { RECOVERIES } from '../../src/model/settings.js'
import { ORIGINS, SOURCES } from '../../src/model/words.js'

const GLOSSARY = 'docs/glossary.md'

/** Files below a folder with one of these endings, sorted. */
function filesIn(folder: string, ...endings: readonly string[]): string[] {
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return all
    .filter((file) => endings.some((ending) => file.endsWith(ending)))
    .map((file) => join(folder, file))
    .sort()
}

/** `HTTPProbeSettings`, `probe_overdue`, `breaker.cooldownMs`, `probe-gap.ts` as their words, in lower case. */
const wordsOf = (name: string): string[] =>
  name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .split(/[^A-Za-z]+/)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase())

/** Types leave nothing behind at run time, so the exports are read from the text. */
function exportsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8').replace(/\/\*[^]*?\*\/|\/\/.*/g, '')
  const lists = [...text.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, list = '']) =>
    list.split(','),
  )
  const declared = [...text.matchAll(/export (?:async )?(?:function|const|class|interface|type) (\w+)/g)]
  return [
    ...lists.map((entry) => entry.replace(/\btype\b/, '').trim()),
    ...declared.map(([, name = '']) => name),
  ]
}

/** Every path of a table of objects. */
const pathsOf = (table: object): string[] =>
  Object.entries(table).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? [name, ...pathsOf(value)] : [name],
  )

/** Names of the properties that the interfaces of a file declare. */
const declaredIn = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name = '']) => name)

const PUBLIC_NAMES: Readonly<Record<string, readonly string[]>> = {
  'an export of src/index.ts': exportsOf('src/index.ts'),
  'an export of src/testing.ts': exportsOf('src/testing.ts'),
  'an export of src/bullmq/index.ts': exportsOf('src/bullmq/index.ts'),
  'an export of src/http/index.ts': [...exportsOf('src/http/index.ts'), ...exportsOf('src/http/fastify.ts')],
  'a setting': SETTING_ENTRIES.map(({ path }) => path),
  'a default': pathsOf(DEFAULTS),
  'a setting of a probe': declaredIn('src/model/probe.ts'),
  'an option of connect': declaredIn('src/connect-options.ts'),
  'an outcome': published.OUTCOMES,
  'a state of the circuit': published.CIRCUIT_STATES,
  'a mark': published.MARKS,
  'a kind of event': [...published.EVENT_KINDS, ...published.STORE_EVENT_KINDS],
  'a kind of probe': published.PROBE_KINDS,
  'a value of recovery': RECOVERIES,
  'a source or an origin': [...SOURCES, ...ORIGINS],
  'an error code': Object.keys(published.ERROR_CODES),
  'a failure of Redis': published.REDIS_FAILURES,
  'a key': [PROVIDER_KEYS, FLEET_KEYS, SHARD_KEYS, HOOK_KEYS]
    .flatMap(Object.keys)
    .concat(QUEUE_KEYS, NAMED_QUEUES_KEY),
  'a field of the circuit': Object.keys(CIRCUIT_FIELDS),
  'a field of the settings': SETTINGS_ABOUT,
  'a counter': Object.keys(newCounters()),
  'a file': [...filesIn('src', '.ts'), ...filesIn('lua', '.lua')].map((file) =>
    basename(file).replace(/(\.d)?\.\w+$/, ''),
  ),
}

/** `batches`, `queues` and `statuses` are `batch`, `queue` and `status`. */
const formsOf = (word: string): string[] => [word, word.replace(/s$/, ''), word.replace(/es$/, '')]

const glossary = readFileSync(GLOSSARY, 'utf8')
/** The first cell of each row of the table. */
const defined = [...glossary.matchAll(/^\| ([^|]+) \|/gm)].map(([, cell = '']) => cell).slice(1)
const [, plainWords = ''] = glossary.split('\n## Plain words\n')
const known = new Set([...defined, plainWords.split('\n\n').at(1) ?? ''].flatMap(wordsOf))

describe('docs/glossary.md', () => {
  it.each(Object.entries(PUBLIC_NAMES))('has every word of %s', (_, names) => {
    expect(names.length).toBeGreaterThan(1)
    const missing = names.flatMap((name) =>
      wordsOf(name)
        .filter((word) => !formsOf(word).some((form) => known.has(form)))
        .map((word) => `${word}, of ${name}`),
    )
    expect(missing).toEqual([])
  })

  it('has each word once, in the order of the alphabet', () => {
    const words = defined.flatMap((cell) => cell.split(', '))
    expect(words.filter((word, i) => words.indexOf(word) !== i)).toEqual([])
    const first = defined.map((cell) => cell.toLowerCase())
    expect(first).toEqual([...first].sort())
  })

  it('says of each word what it means, in one sentence', () => {
    const rows = [...glossary.matchAll(/^\| ([^|]+) \| ([^|]+) \|/gm)].slice(1)
    const wrong = rows.filter(
      ([, , meaning = '']) => !/^(?!Wh(?:o|at|ich)\b)[A-Z].{10,}[^.]\.$/.test(meaning),
    )
    expect(wrong.map(([, word, meaning]) => `${word}: ${meaning}`)).toEqual([])
  })
})

it('the README and docs/architecture.md lead to the glossary', () => {
  const pages = ['README.md', 'docs/architecture.md']
  expect(pages.filter((page) => !readFileSync(page, 'utf8').includes('glossary.md)'))).toEqual([])
})

it('docs/glossary.md names files that are there', () => {
  const named = [...glossary.matchAll(/`([\w./-]+\.(?:ts|lua))`/g)].map(([, file = '']) => file)
  const there = [...filesIn('src', '.ts'), ...filesIn('lua', '.lua')]
  const exists = (file: string) => there.some((each) => each === file || each.endsWith(`/${file}`))
  expect(named.filter((file) => !file.startsWith('test/') && !exists(file))).toEqual([])
})

/** Words that had no use but Busbar's own: a reader could not look them up. */
const BANNED = [
  'hasten',
  'everyday',
  'greet',
  'attend',
  'patiently',
  'upkeep',
  'anew',
  'whoever',
  'hitherto',
  'lately',
]

describe('words that only this project would use', () => {
  const banned = new RegExp(`\\b(?:${BANNED.join('|')})\\b`, 'i')
  const found = [
    ...filesIn('src', '.ts'),
    ...filesIn('lua', '.lua'),
    ...filesIn('docs', '.md', '.svg'),
  ].flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, i) => (banned.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : [])),
  )

  it('do not occur in src/, lua/ and docs/', () => {
    expect(found).toEqual([])
  })
})
