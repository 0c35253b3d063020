import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CODE_FOLDER, PACKAGE_FOLDER } from '../package/location.js'

/** The package's own scripts. */
const LUA_DIR = fileURLToPath(new URL('lua', PACKAGE_FOLDER))

/** The same flattened, as the build writes them; there is no such folder in `src/`. */
const BUILT_DIR = fileURLToPath(new URL('lua', CODE_FOLDER))

/** Indented: within a block, whose functions Lua makes only when it comes to them. */
const INCLUDE = /^( *)-- @include (\S+)$/

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

/** A block of the script, by its indentation, and the fragments that it sees besides those of the blocks around it. */
interface Scope {
  readonly indent: number
  readonly fragments: Set<string>
}

/**
 * A script as Redis is given it. Those of the package are read as they were built: splicing them takes longer than connecting.
 */
export function loadScript(name: string, options: LuaSourceOptions = {}): string {
  const own = options.dir === undefined && options.overrides === undefined
  const built = join(BUILT_DIR, `${name}.lua`)
  return own && existsSync(built) ? readFileSync(built, 'utf8') : flatten(name, options)
}

/** A script with each fragment spliced in at its first include of a block. */
export function flatten(name: string, options: LuaSourceOptions = {}): string {
  const read = (file: string): string => options.overrides?.[file] ?? readScript(file, options.dir)
  const scopes: Scope[] = [{ indent: 0, fragments: new Set() }]
  const lines = splice(readScript(name, options.dir), '', scopes, read)
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`
}

function splice(source: string, indent: string, scopes: Scope[], read: (file: string) => string): string[] {
  return source
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      if (line === '') return ['']
      const indented = indent + line
      const [, at, file] = INCLUDE.exec(indented) ?? []
      const depth = indented.length - indented.trimStart().length
      // A line further to the left ends the blocks that were open.
      while ((scopes.at(-1)?.indent ?? 0) > depth) scopes.pop()
      if (at === undefined || file === undefined) return [indented]
      if (scopes.some(({ fragments }) => fragments.has(file))) return []
      if ((scopes.at(-1)?.indent ?? 0) < depth) scopes.push({ indent: depth, fragments: new Set() })
      scopes.at(-1)?.fragments.add(file)
      return splice(read(file), at, scopes, read)
    })
}
