import type * as embedded from '../../../src/embedded/index.js'

interface RunOptions {
  cwd?: string
  env?: Record<string, string>
  argv0?: string
}

interface Ran {
  code: number
  output: string
  problem: string
}

/** The facts that the way of installation depends on: those of this machine, or of a test. */
export interface InstallOptions extends embedded.PackageManagerFacts {
  /** `BUSBAR_NO_INSTALL=1`: install nothing, say what to install. */
  noInstall?: boolean
  run?: (command: string, args: readonly string[], options?: RunOptions) => Promise<Ran>
  /** The folder in which a private download is unpacked. */
  folder?: string
  find?: typeof embedded.findRedisServer
}

export function installRedis(
  log: (line: string) => void,
  embedded: typeof import('../../../src/embedded/index.js'),
  options?: InstallOptions,
): Promise<embedded.RedisBinary>
