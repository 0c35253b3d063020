import { accessSync, constants, readdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** A Redis server that can be started on this machine. */
export interface RedisBinary {
  /** Absolute path of the executable. */
  path: string
  /**
   * The name it must be started under. One executable plays several parts and looks at its own name to choose:
   * Debian ships the server as `redis-check-rdb` (package redis-tools), which serves when called `redis-server`.
   */
  argv0: string
  /** Folders of its shared libraries, joined by `:`, for a server that was unpacked privately. */
  libraryPath?: string
}

export interface FindOptions {
  /** Folders to search, in order. Default: PATH, then folders with servers that PATH often lacks. */
  folders?: string[]
  /** The private download, searched last. Default: {@link privateFolder}. */
  privateFolder?: string
}

/** Names in order of preference: `redis-check-rdb` comes last, because only some systems ship the server under it. */
const names = [
  { file: 'redis-server', argv0: 'redis-server' },
  { file: 'valkey-server', argv0: 'valkey-server' },
  { file: 'redis-check-rdb', argv0: 'redis-server' },
]

const usualFolders = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/opt/homebrew/bin']

/** The folder in which a server is unpacked for a user who may not install packages. */
export function privateFolder(): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? ''
  return join(cache === '' ? join(homedir(), '.cache') : cache, 'busbar', 'redis')
}

/** Looks for a Redis server on this machine; starts nothing, installs nothing. */
export function findRedisServer(options: FindOptions = {}): RedisBinary | undefined {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const found = findIn(options.folders ?? [...onPath, ...usualFolders])
  if (found !== undefined) return found

  const unpacked = options.privateFolder ?? privateFolder()
  const own = findIn([join(unpacked, 'usr', 'bin')])
  return own === undefined ? undefined : { ...own, libraryPath: libraryFolders(unpacked).join(':') }
}

function findIn(folders: string[]): RedisBinary | undefined {
  for (const { file, argv0 } of names) {
    for (const folder of folders) {
      const path = join(folder, file)
      if (isExecutable(path)) return { path, argv0 }
    }
  }
  return undefined
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false // absent, or not ours to run: the next folder may have it
  }
}

/** Debian keeps libraries in a folder per architecture, such as `usr/lib/x86_64-linux-gnu`. */
function libraryFolders(root: string): string[] {
  return [join(root, 'usr', 'lib'), join(root, 'lib')].flatMap((folder) => {
    try {
      const entries = readdirSync(folder, { withFileTypes: true })
      return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name))
    } catch {
      return [] // the package brought no library of this kind
    }
  })
}
