import { aptInstall, aptPackage, unpackPrivately } from './apt.js'
import { findRedisServer, privateFolder } from './find.js'
import type { RedisBinary } from './find.js'
import { has, run } from './run.js'
import type { Run } from './run.js'

/** The facts that the way of installation depends on: those of this machine, or of a test. */
export interface InstallOptions {
  platform?: string
  /** 0 is root. */
  uid?: number
  /** `BUSBAR_NO_INSTALL=1`: install nothing, say what to install. */
  noInstall?: boolean
  has?: (command: string) => boolean
  run?: Run
  /** The folder in which a private download is unpacked. */
  folder?: string
  find?: () => RedisBinary | undefined
}

type Machine = Required<InstallOptions>

/** There is no Redis and none was installed; the message says what to install. */
export class RedisInstallError extends Error {
  readonly code = 'redis_not_installed'
  override readonly name = 'RedisInstallError'
}

/**
 * Installs a Redis server, and says in one line what it does. Debian and its kin: as root by apt-get, else through
 * `sudo -n`, else as a private download for this user. macOS: by Homebrew. It never asks for a password.
 * Rejects with {@link RedisInstallError}, whose message says exactly what to install.
 */
export async function installRedis(
  log: (line: string) => void,
  options: InstallOptions = {},
): Promise<RedisBinary> {
  const machine = { ...thisMachine(), ...options }
  const command = installCommand(machine)
  if (machine.noInstall) {
    throw new RedisInstallError(`Redis is missing and BUSBAR_NO_INSTALL is set. To install it: ${command}`)
  }
  const problem = await tryWays(machine, command, log)
  const found = machine.find()
  if (found !== undefined) return found
  const detail = problem === undefined ? '' : `\n${problem}`
  throw new RedisInstallError(
    `Redis is missing and could not be installed here. To install it: ${command}${detail}`,
  )
}

/** Tries what this machine offers, until one way gives a server; answers the last problem. */
async function tryWays(machine: Machine, command: string, log: (line: string) => void) {
  if (machine.platform === 'darwin' && machine.has('brew')) {
    log(`installing Redis: ${command}`)
    const { code, problem } = await machine.run('brew', ['install', 'redis'])
    return code === 0 ? undefined : problem.trim()
  }
  if (!machine.has('apt-get')) return undefined
  if (machine.uid === 0) {
    log(`installing Redis: ${command}`)
    return (await aptInstall(machine.run, 'root')).problem
  }
  if (machine.has('sudo') && (await machine.run('sudo', ['-n', 'true'])).code === 0) {
    log(`installing Redis: ${command}`)
    const { problem } = await aptInstall(machine.run, 'sudo')
    if (problem === undefined) return undefined
  }
  if (!machine.has('dpkg-deb')) return undefined
  log(`downloading Redis for this user into ${machine.folder}`)
  const unpacked = await unpackPrivately(machine.run, machine.folder)
  return unpacked === undefined ? 'The download did not give a server that runs.' : undefined
}

/** The command that a person would type, for this machine's package manager. */
function installCommand({ platform, uid, has }: Machine): string {
  if (platform === 'darwin') return 'brew install redis'
  const sudo = uid === 0 ? '' : 'sudo '
  if (has('apt-get')) {
    return `${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends ${aptPackage}`
  }
  if (has('apk')) return `${sudo}apk add redis`
  if (has('dnf')) return `${sudo}dnf install -y redis (or valkey, where redis is gone)`
  if (has('pacman')) return `${sudo}pacman -S valkey`
  if (has('zypper')) return `${sudo}zypper install redis`
  return 'get Redis 6.2 or later, or Valkey, and have redis-server or valkey-server on PATH'
}

function thisMachine(): Machine {
  return {
    platform: process.platform,
    uid: process.getuid?.() ?? -1,
    noInstall: process.env['BUSBAR_NO_INSTALL'] === '1',
    has,
    run,
    folder: privateFolder(),
    find: findRedisServer,
  }
}
