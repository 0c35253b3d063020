// The three things that must be there before anything runs: packages, a build, a Redis. Each step is a pair:
// is it missing, and get it.
import { existsSync } from 'node:fs'
import { basename, delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { expected, runChild } from './child.mjs'
import { findChromium } from './chromium.mjs'
import { installRedis } from './redis/install.mjs'
import { dependenciesHash, isCurrent, sourcesHash, writeStamp } from './stamp.mjs'

export function packagesMissing(root) {
  return !isCurrent(join(root, 'node_modules', '.busbar-stamp'), dependenciesHash(root))
}

export async function installPackages(root, log) {
  log('installing packages: npm ci')
  const hash = dependenciesHash(root)
  const [command, ...prefix] = npm()
  const args = [...prefix, 'ci', '--include=dev', '--no-audit', '--no-fund']
  const { code, signal, output } = await runChild(command, args, { cwd: root, quiet: true })
  if (signal !== undefined) return code
  if (code !== 0) throw expected(`npm ci failed:\n${output.trim()}`)
  writeStamp(join(root, 'node_modules', '.busbar-stamp'), hash)
}

export function buildMissing(root) {
  return !isCurrent(join(root, 'dist', '.stamp'), sourcesHash(root))
}

export async function buildSources(root, log) {
  log('building dist/')
  const { build } = await import('../build.mjs')
  return build(root)
}

/** Only `dist/` knows how to look for a Redis, so ask after the build. */
export async function redisMissing(root) {
  if (!existsSync(join(root, 'dist', 'embedded', 'index.js'))) return true
  return (await embedded(root)).findRedisServer() === undefined
}

export async function installRedisServer(root, log) {
  try {
    await installRedis(log, await embedded(root))
  } catch (error) {
    throw error.code === 'redis_not_installed' ? expected(error.message) : error
  }
}

/** Programs of Debian that only some tests need: these are skipped without them. */
const TOOLS = [
  { name: 'promtool', aptPackage: 'prometheus', missing: () => !onPath('promtool') },
  { name: 'chromium', aptPackage: 'chromium', missing: () => findChromium() === undefined },
]

/** Installs the tools of these names that are not there. */
export async function installTools(names, log) {
  const wanted = TOOLS.filter(({ name, missing }) => names.includes(name) && missing())
  if (wanted.length === 0) return
  const rights = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  const [command, ...prefix] = [...rights, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get']
  try {
    await runChild(command, [...prefix, 'update'], { quiet: true })
    for (const { name, aptPackage } of wanted) {
      log(`installing ${name}: apt-get install ${aptPackage}`)
      const args = [...prefix, 'install', '-y', '--no-install-recommends', aptPackage]
      const { code, output } = await runChild(command, args, { quiet: true })
      if (code !== 0) log(`${name} could not be installed:\n${output.trim()}`)
    }
  } catch (error) {
    log(error.message)
  }
}

const onPath = (file) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, file)))

function embedded(root) {
  return import(pathToFileURL(join(root, 'dist', 'embedded', 'index.js')).href)
}

/** The npm that called us, if one did: another version might read the lock file differently. */
function npm() {
  const path = process.env.npm_execpath
  return path !== undefined && basename(path) === 'npm-cli.js' ? [process.execPath, path] : ['npm']
}
