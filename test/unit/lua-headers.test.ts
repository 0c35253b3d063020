import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'luaparse'
import { describe, expect, it } from 'vitest'
import { flatten, scriptNames } from '../../src/redis/lua-source.js'
import { SCRIPTS, type ScriptDefinition, type WireType } from '../../src/redis/script-definitions.js'

const LUA = resolve(import.meta.dirname, '../../lua')
const lines = (file: string) => readFileSync(join(LUA, file), 'utf8').split('\n')
const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

interface Field {
  readonly name: string
  readonly type: string
  readonly meaning: string
}

interface Script {
  readonly purpose: readonly string[]
  readonly keys: readonly Field[]
  readonly args: readonly Field[]
  readonly returns: readonly Field[]
  /** The paragraph that names and converts the inputs. */
  readonly inputs: readonly string[]
  readonly rest: readonly string[]
}

/** A script as its header says it is. */
function readScript(name: string): Script {
  const all = lines(`${name}.lua`)
  const headerEnd = all.findIndex((line) => !line.startsWith('--'))
  const header = all.slice(0, headerEnd).map((line) => line.replace(/^-- ?/, ''))
  const from = (title: string) => {
    const at = header.indexOf(title)
    if (at < 0) throw new Error(`${name}.lua: no ${title} in the header`)
    return at
  }
  const fields = (first: number, end: number) =>
    header.slice(first + 1, end).map((line): Field => {
      const [, field, type, meaning] = /^ {2}(\w+) +(\w+) +(\S.*)$/.exec(line) ?? []
      if (field === undefined || type === undefined || meaning === undefined) {
        throw new Error(`${name}.lua: unreadable line in the header: ${line}`)
      }
      return { name: field, type, meaning }
    })
  const [keys, args, returns] = [from('KEYS'), from('ARGV'), from('Returns')]
  const inputsEnd = all.indexOf('', headerEnd + 1)
  return {
    purpose: header.slice(0, keys),
    keys: fields(keys, args),
    args: fields(args, returns),
    returns: fields(returns, header.length),
    inputs: all.slice(headerEnd + 1, inputsEnd),
    rest: all.slice(inputsEnd),
  }
}

const KEY_TYPES: Readonly<Record<string, string>> = {
  config: 'hash',
  circuit: 'hash',
  history: 'zset',
  trials: 'zset',
  events: 'stream',
  window: 'hash',
  domains: 'hash',
  batches: 'hash',
  outages: 'stream',
  workers: 'hash',
  due: 'zset',
  intervals: 'hash',
  claimed: 'zset',
  one_offs: 'zset',
  schedule: 'hash',
  wait: 'list',
  meta: 'hash',
  hook: 'hash',
  hook_cursors: 'hash',
}

/** How the inputs paragraph writes a value of this type. A number that is always given is converted as a sum: it costs half. */
const CONVERSIONS: Readonly<Record<WireType, (arg: string) => string>> = {
  text: (arg) => arg,
  integer: (arg) => `tonumber(${arg})`,
  digits: (arg) => arg,
  number: (arg) => `tonumber(${arg})`,
  boolean: (arg) => `${arg} == '1'`,
  json: (arg) => `cjson.decode(${arg})`,
}

/** Names that the inputs paragraph binds to each input: `KEYS[1]` -> `config`, `ARGV[4]` -> `known_version`. */
function bindings(inputs: readonly string[]): Map<string, { name: string; written: string }> {
  const bound = new Map<string, { name: string; written: string }>()
  const expression = /(\w+) = ((?:[\w.]+\()?((?:KEYS|ARGV)\[\d+\])\)?(?: == '1')?(?: \+ 0)?)/g
  for (const [, name = '', written = '', input = ''] of inputs.join('\n').matchAll(expression)) {
    bound.set(input, { name, written: written.replace(/^(.*) \+ 0$/, 'tonumber($1)') })
  }
  return bound
}

/** A fragment without a function is a piece of the script that includes it; any other line is left as it is. */
function spliced(line: string): string {
  const [, fragment] = /^ *-- @include (\S+)$/.exec(line) ?? []
  if (fragment === undefined) return line
  const text = lines(`${fragment}.lua`)
  return text.some((each) => each.startsWith('local function')) ? line : text.map(spliced).join('\n')
}

const definitions: [string, ScriptDefinition][] = Object.entries(SCRIPTS)

it('every script has a definition, and every definition a script', () => {
  expect(scriptNames()).toEqual(Object.keys(SCRIPTS).sort())
  expect(scriptNames()).toHaveLength(20)
})

describe.each(definitions)('lua/%s.lua', (name, definition) => {
  const script = readScript(name)

  it('begins with its name and its purpose', () => {
    expect(script.purpose[0]).toMatch(new RegExp(`^${name}: \\w.{20,}`))
    expect(script.purpose.at(-1)).toBe('')
  })

  it('declares the keys that TypeScript gives it, in that order, with their types', () => {
    const { keys, extraKey } = definition
    expect(script.keys.map((key) => [key.name, key.type])).toEqual(
      [...keys, ...(extraKey === undefined ? [] : [extraKey])].map((key) => [key, KEY_TYPES[key]]),
    )
  })

  it('declares the arguments that TypeScript gives it, in that order, with their types', () => {
    expect(script.args.map((arg) => [arg.name, arg.type])).toEqual(
      Object.entries(definition.args).map(([arg, type]) => [snakeCase(arg), type]),
    )
  })

  it('declares the returns that TypeScript reads, in that order, with their types', () => {
    expect(script.returns.map((value) => [value.name, value.type])).toEqual(
      Object.entries(definition.returns).map(([value, type]) => [snakeCase(value), type]),
    )
  })

  it('names and converts each input once, under the name that the header gives it', () => {
    const bound = bindings(script.inputs)
    const expected = [
      ...script.keys.map(
        (key, i) => [`KEYS[${i + 1}]`, { name: key.name, written: `KEYS[${i + 1}]` }] as const,
      ),
      ...Object.values(definition.args).map((type, i) => {
        const input = `ARGV[${i + 1}]`
        return [input, { name: script.args[i]?.name ?? '', written: CONVERSIONS[type](input) }] as const
      }),
    ]
    expect([...bound]).toEqual(expected)
    expect(script.inputs.join('\n').match(/(KEYS|ARGV)\[/g)).toHaveLength(expected.length)
  })

  it('reads no input after the first paragraph', () => {
    expect(script.rest.filter((line) => /KEYS|ARGV/.test(line))).toEqual([])
  })

  it('uses every input', () => {
    const bare = (code: string) => code.replace(/--.*$/gm, '').replace(/'[^'\n]*'/g, "''")
    const own = bare(script.rest.map(spliced).join('\n'))
    const whole = flatten(name)
    const inputs = script.inputs.join('\n')
    const all = bare(whole.slice(whole.indexOf(inputs) + inputs.length))
    const caller = script.inputs.find((line) => line.startsWith('local caller')) ?? ''
    const isUsed = (input: string) => {
      if (script.keys.some((key) => key.name === input)) return new RegExp(`keys\\.${input}\\b`).test(all)
      if (caller.includes(` ${input} = `)) return new RegExp(`caller\\.${input}\\b`).test(all)
      return new RegExp(`\\b${input}\\b(?! =[^=])`).test(own)
    }
    expect(
      [...script.keys, ...script.args].map((input) => input.name).filter((input) => !isUsed(input)),
    ).toEqual([])
  })

  it('is given to Redis without an include line, each fragment once', () => {
    const flat = flatten(name)
    expect(flat).not.toMatch(/@include/)
    const functions = [...flat.matchAll(/^local function (\w+)/gm)].map(([, found]) => found)
    expect(new Set(functions).size).toBe(functions.length)
    expect(functions).toContain('clock_reading_ms')
  })
})

describe('the fragments', () => {
  const fragments = readdirSync(join(LUA, 'lib')).map((file) => `lib/${file}`)
  const included = new Set<string>()
  for (const file of [...scriptNames().map((name) => `${name}.lua`), ...fragments]) {
    for (const line of lines(file)) {
      const [, fragment] = /^ *-- @include (\S+)$/.exec(line) ?? []
      if (fragment !== undefined) included.add(fragment)
    }
  }

  it.each(fragments)('lua/%s reads no input of its own', (file) => {
    expect(lines(file).filter((line) => /\b(KEYS|ARGV)\b/.test(line))).toEqual([])
  })

  it.each(fragments)('lua/%s says what it is for', (file) => {
    expect(lines(file)[0]).toMatch(/^-- \w.{15,}/)
  })

  it('exist wherever one is included, and each is included somewhere', () => {
    for (const fragment of included) expect(existsSync(join(LUA, `${fragment}.lua`)), fragment).toBe(true)
    expect([...included].map((fragment) => `${fragment}.lua`).sort()).toEqual(fragments.sort())
  })

  it('are included by lines that are read as such: no other spelling of @include', () => {
    for (const file of [...scriptNames().map((name) => `${name}.lua`), ...fragments]) {
      const spelt = lines(file).filter((line) => /@\s*include/i.test(line))
      expect(
        spelt.filter((line) => !/^ *-- @include lib\/[a-z_]+$/.test(line)),
        file,
      ).toEqual([])
    }
  })
})

/** What Redis gives to a script, and of Lua what the scripts use. */
const GIVEN =
  'KEYS ARGV redis cjson string table math tonumber type pcall pairs ipairs next select unpack'.split(' ')

describe('flatten', () => {
  it('splices other text in place of a fragment, wherever that is included from', () => {
    const flat = flatten('snapshot', {
      overrides: { 'lib/now': 'local function clock_reading_ms() return 7 end' },
    })
    expect(flat).toContain('return 7')
    expect(flat).not.toContain("redis.call('TIME')")
  })

  it('puts a fragment before those that need it', () => {
    const flat = flatten('admit')
    expect(flat.indexOf('function clock_reading_ms')).toBeLessThan(flat.indexOf('function open_provider'))
    expect(flat.indexOf('function transition')).toBeLessThan(flat.indexOf('function enter_half_open'))
  })

  it('splices an indented fragment into its block, where the blocks beside it see it anew', () => {
    const flat = flatten('record')
    const marks = flat.split('local function expire_mark').length - 1
    expect(marks).toBe(1)
    expect(flat).toMatch(/^ {2}local function expire_mark/m)
    // The snapshot is built where a change is announced, and in no call that changes nothing.
    expect(flat).toMatch(/^ {4}local function snapshot_json/m)
  })

  // Lua takes a name that nothing defines for a global, and Redis refuses that only when the line is reached.
  it.each(scriptNames())('%s reads no name that it does not define', (name) => {
    const { globals } = parse(flatten(name), { scope: true, luaVersion: '5.1' }) as unknown as {
      // The types of the parser leave them out.
      readonly globals: readonly { readonly name: string }[]
    }
    expect(globals.map((global) => global.name).filter((global) => !GIVEN.includes(global))).toEqual([])
  })
})
