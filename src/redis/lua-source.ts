import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The package's own scripts; the same relative place from `src/` and from `dist/`. */
const LUA_DIR = fileURLToPath(new URL('../../lua', import.meta.url))

const INCLUDE = /^-- @include (\S+)$/gm

export interface LuaSourceOptions {
  /** Another folder of scripts. */
  readonly dir?: string | undefined
  /** Text in place of a fragment, by its name (`lib/now`): how tests move time. */
  readonly overrides?: Readonly<Record<string, string>> | undefined
}

/** Names of the operations, one file each. */
export const scriptNames = (dir: string = LUA_DIR): string[] =>
  readdirSync(dir)
    .filter((file) => file.endsWith('.lua'))
    .map((file) => file.slice(0, -'.lua'.length))
    .sort()

/** A script as written, its includes not spliced. */
export const readScript = (name: string, dir: string = LUA_DIR): string =>
  readFileSync(join(dir, `${name}.lua`), 'utf8')

/** A script with each fragment spliced in at its first include: what Redis is given. */
export function flatten(name: string, options: LuaSourceOptions = {}): string {
  const spliced = new Set<string>()
  const read = (file: string): string => options.overrides?.[file] ?? readScript(file, options.dir)
  const splice = (source: string): string =>
    source.replace(INCLUDE, (_line, file: string) => {
      if (spliced.has(file)) return ''
      spliced.add(file)
      return splice(read(file)).trimEnd()
    })
  return `${splice(read(name))
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`
}
