import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CIRCUIT_FIELDS, type CircuitField } from '../../src/model/circuit-fields.js'
import { PROBE_KINDS } from '../../src/model/probe.js'
import { SETTING_ENTRIES, SETTINGS_ABOUT, type SettingField } from '../../src/model/setting-fields.js'

const FIELDS: [string, CircuitField][] = Object.entries(CIRCUIT_FIELDS)

const list = (names: readonly string[]) => names.map((name) => `  '${name}',\n`).join('')
const namesOf = (wanted: (field: CircuitField, name: string) => boolean) =>
  FIELDS.filter(([name, field]) => wanted(field, name)).map(([name]) => name)

/** The part of a page between two marks is the table; BUSBAR_UPDATE_DOCS=1 writes it, as it does the transcripts. */
function expectTable(page: string, mark: string, head: readonly string[], rows: readonly string[][]): void {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`
  const table = `\n${line(head)}|${'---|'.repeat(head.length)}\n${rows.map(line).join('')}\n`
  const text = readFileSync(page, 'utf8')
  const marked = new RegExp(`<!-- ${mark} -->\\n([^]*?)<!-- /${mark} -->`)
  if (process.env['BUSBAR_UPDATE_DOCS'] === '1')
    writeFileSync(page, text.replace(marked, `<!-- ${mark} -->\n${table}<!-- /${mark} -->`))
  else expect(marked.exec(text)?.[1]).toBe(table)
}

/** The unit follows from the name: `_at_ms`, `_since_ms` and the like are moments, any other `_ms` is a length of time. */
function unitOf(name: string, { type }: CircuitField): string {
  if (type === 'text') return 'text'
  if (/_(at|since|until|to|now)_ms$/.test(name)) return 'Redis ms'
  if (/_ms(_total)?$/.test(name)) return 'ms'
  if (name.endsWith('_us')) return 'Redis us'
  if (name === OPTIONAL) return "the provider's own"
  return /generation|version/.test(name) ? 'number' : 'count'
}

/** 0 is far from none for this one: lua/lib/complete.lua converts it by itself. */
const OPTIONAL = 'heartbeat_progress'

const luaFields =
  () => `-- The fields of the circuit hash and the defaults of the settings, as src/model/circuit-fields.ts and
-- src/model/setting-fields.ts have them. Written by \`npx vitest run test/unit/fields.test.ts -u\`; edit those instead.

-- Fields that a person looks for: written at registration, in this order.
local FIRST = {
${list(namesOf((field) => field.first === true))}}

local NUMBERS = {
${list(namesOf((field, name) => field.type === 'number' && name !== OPTIONAL))}}

local SETTING_DEFAULTS = {
${SETTING_ENTRIES.filter(({ field }) => field.default !== undefined)
  .map(({ path, field }) => `  ['${path}'] = '${String(field.default)}',\n`)
  .join('')}}
`

const luaConfigFields =
  () => `-- The fields of the config hash that the script which sets settings knows, as src/model/ has them. Written by
-- \`npx vitest run test/unit/fields.test.ts -u\`; edit src/model/setting-fields.ts or src/model/probe.ts instead.

-- Fields that are no settings.
local ABOUT = {
${SETTINGS_ABOUT.map((name) => `  ${name} = true,\n`).join('')}}

-- Kinds of probes that this version knows.
local PROBE_KINDS = {
${PROBE_KINDS.map((kind) => `  ['${kind}'] = true,\n`).join('')}}
`

describe('the table of the circuit hash', () => {
  it('is what the scripts read by', async () => {
    await expect(luaFields()).toMatchFileSnapshot('../../lua/lib/fields.lua')
  })

  it('is the table of docs/keys.md', () => {
    const rows = FIELDS.map(([name, field]) => [`\`${name}\``, unitOf(name, field), field.meaning])
    expectTable('docs/keys.md', 'fields', ['field', 'unit', 'meaning'], rows)
  })

  it('says of each field what it means', () => {
    for (const [name, { meaning }] of FIELDS) expect(meaning.length, name).toBeGreaterThanOrEqual(8)
  })
})

describe('docs/keys.md', () => {
  const page = readFileSync('docs/keys.md', 'utf8')
  const rows = [...page.matchAll(/^\| `([\w.]+)` \|/gm)].map(([, name]) => name)

  it('has each field of the config hash that is no setting', () => {
    expect(SETTINGS_ABOUT.filter((name) => !rows.includes(name))).toEqual([])
  })

  it('has each field of the schedule hash', () => {
    const [, list = ''] = /FIELDS = \{([^}]*)\}/.exec(readFileSync('lua/lib/schedule.lua', 'utf8')) ?? []
    const fields = [...list.matchAll(/'(\w+)'/g)].map(([, name]) => name)
    expect(fields.length).toBeGreaterThan(4)
    expect([...fields, 'planner'].filter((name) => !rows.includes(name))).toEqual([])
  })

  it.each(['announcement', 'outage'])(
    'has each field of the stream that lua/lib/%s.lua appends to',
    (file) => {
      const [, call = ''] = /'XADD'([^]*?)\n {2}\)/.exec(readFileSync(`lua/lib/${file}.lua`, 'utf8')) ?? []
      const fields = [...call.matchAll(/^ {4}'(\w+)', /gm)].map(([, name]) => name)
      expect(fields.length).toBeGreaterThan(4)
      expect(fields.filter((name) => !rows.includes(name))).toEqual([])
    },
  )
})

describe('the table of the settings', () => {
  it('is what the script that sets them knows', async () => {
    await expect(luaConfigFields()).toMatchFileSnapshot('../../lua/lib/config_fields.lua')
  })

  it('is the table of docs/configuration.md', () => {
    const rows = SETTING_ENTRIES.map(({ path, field }) => {
      const given = field.default === undefined ? '-' : String(field.default)
      return [`\`${path}\``, given, boundsOf(field), field.meaning]
    })
    const probe = ['`probe`', '-', '', 'a health check, see below']
    expectTable(
      'docs/configuration.md',
      'settings',
      ['setting', 'default', 'bounds', 'meaning'],
      [...rows, probe],
    )
  })

  it('has the defaults of those that the scripts read with every batch', () => {
    const lua = readFileSync('lua/lib/provider.lua', 'utf8')
    const [, read = ''] = /'HMGET', key, 'revision', (.*)\n/.exec(lua) ?? []
    const defaults = [...lua.matchAll(/tonumber\(set\[\d\]\) or (\d+)/g)].map(([, value]) => value)
    const paths = [...read.matchAll(/'([\w.]+)'/g)].map(([, path]) => path)
    expect(paths).toHaveLength(2)
    const fieldOf = (path: string | undefined) => SETTING_ENTRIES.find((entry) => entry.path === path)?.field
    expect(defaults).toEqual(paths.map((path) => String(fieldOf(path)?.default)))
    const threshold = readFileSync('lua/lib/failure_threshold.lua', 'utf8')
    expect(threshold).toContain(`(tonumber(text) or ${fieldOf('breaker.failureThreshold')?.default})`)
  })
})

const DAY = 86_400_000
const days = (count: number) => (count === 1 ? '1 day' : `${count} days`)

function boundsOf(field: SettingField): string {
  if (field.type === 'flag') return ''
  if (field.type === 'word') return field.words.join(', ')
  if (field.type === 'name') return 'a name like an id'
  const { min, max, unit } = field
  return `${min} to ${unit === 'ms' && max % DAY === 0 ? days(max / DAY) : max}`
}
