// Gets a Redis server for a checkout. The package does not bring this: its `busbar start` only names the command.
import { aptInstall, unpackPrivately } from './apt.mjs'
import { run } from './run.mjs'

/**
 * Installs a Redis server, and says in one line what it does. Debian and its kin: as root by apt-get, else through
 * `sudo -n`, else as a private download for this user. macOS: by Homebrew. It never asks for a password.
 * `embedded` is src/embedded, built or not, which knows how a server is found. `options` are facts that replace those of
 * this machine, for a test.
 * Rejects with an error of the code `redis_not_installed`, whose message says exactly what to install.
 */
export async function installRedis(log, embedded, options = {}) {
  const machine = { ...thisMachine(embedded), ...options }
  const command = embedded.installCommand(machine)
  if (machine.noInstall) {
    throw notInstalled(`Redis is missing and BUSBAR_NO_INSTALL is set. To install it: ${command}`)
  }
  const problem = await tryWays(machine, command, log)
  const found = machine.find()
  if (found !== undefined) return found
  const detail = problem === undefined ? '' : `\n${problem}`
  throw notInstalled(`Redis is missing and could not be installed here. To install it: ${command}${detail}`)
}

/** There is no Redis and none was installed; the message says what to install. */
const notInstalled = (message) => Object.assign(new Error(message), { code: 'redis_not_installed' })

/** Tries what this machine offers, until one way gives a server; answers the last problem. */
async function tryWays(machine, command, log) {
  if (machine.platform === 'darwin' && machine.has('brew')) {
    log(`installing Redis: ${command}`)
    const { code, problem } = await machine.run('brew', ['install', 'redis'])
    return code === 0 ? undefined : problem.trim()
  }
  if (!machine.has('apt-get')) return undefined
  if (machine.uid === 0) {
    log(`installing Redis: ${command}`)
    return (await aptInstall(machine, 'root')).problem
  }
  if (machine.has('sudo') && (await machine.run('sudo', ['-n', 'true'])).code === 0) {
    log(`installing Redis: ${command}`)
    const { problem } = await aptInstall(machine, 'sudo')
    if (problem === undefined) return undefined
  }
  if (!machine.has('dpkg-deb')) return undefined
  log(`downloading Redis for this user into ${machine.folder}`)
  const unpacked = await unpackPrivately(machine)
  return unpacked === undefined ? 'The download did not give a server that runs.' : undefined
}

function thisMachine({ aptPackage, findRedisServer, isOnPath, privateFolder }) {
  return {
    platform: process.platform,
    uid: process.getuid?.() ?? -1,
    noInstall: process.env['BUSBAR_NO_INSTALL'] === '1',
    has: isOnPath,
    run,
    /** The folder in which a private download is unpacked. */
    folder: privateFolder(),
    aptPackage,
    find: findRedisServer,
  }
}
