import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { DEFAULTS } from '../../src/config/defaults.js'
import { CIRCUIT_FIELDS, type CircuitField } from '../../src/model/circuit-fields.js'

const FIELDS: [string, CircuitField][] = Object.entries(CIRCUIT_FIELDS)

const list = (names: readonly string[]) => names.map((name) => `  '${name}',\n`).join('')
const namesOf = (wanted: (field: CircuitField, name: string) => boolean) =>
  FIELDS.filter(([name, field]) => wanted(field, name)).map(([name]) => name)

const PAGE = 'docs/keys.md'
const MARKED = /<!-- fields -->\n([^]*?)<!-- \/fields -->/

/** 0 is far from none for this one: lua/lib/complete.lua converts it by itself. */
const OPTIONAL = 'heartbeat_progress'

const luaFields =
  () => `-- The fields of the circuit hash and the defaults of the settings, as src/model/circuit-fields.ts and
-- src/config/defaults.ts have them. Written by \`npx vitest run -u test/unit/fields.test.ts\`; edit those instead.

-- What a person looks for: written at registration, in this order.
local FIRST = {
${list(namesOf((field) => field.first === true))}}

local NUMBERS = {
${list(namesOf((field, name) => field.type === 'number' && name !== OPTIONAL))}}

local SETTING_DEFAULTS = {
${Object.entries(DEFAULTS.breaker)
  .map(([name, value]) => `  ['breaker.${name}'] = '${String(value)}',\n`)
  .join('')}}
`

describe('the table of the circuit hash', () => {
  it('is what the scripts read by', async () => {
    await expect(luaFields()).toMatchFileSnapshot('../../lua/lib/fields.lua')
  })

  it('is the table of docs/keys.md', () => {
    const rows = FIELDS.map(([name, { type, meaning }]) => `| \`${name}\` | ${type} | ${meaning} |\n`)
    const table = `\n| field | type | meaning |\n|---|---|---|\n${rows.join('')}\n`
    const page = readFileSync(PAGE, 'utf8')
    const [, found] = MARKED.exec(page) ?? []
    // BUSBAR_UPDATE_DOCS=1 writes it, as it does the transcripts.
    if (process.env['BUSBAR_UPDATE_DOCS'] === '1')
      writeFileSync(PAGE, page.replace(MARKED, `<!-- fields -->\n${table}<!-- /fields -->`))
    else expect(found).toBe(table)
  })

  it('says of each field what it means', () => {
    for (const [name, { meaning }] of FIELDS) expect(meaning.length, name).toBeGreaterThanOrEqual(8)
  })
})
