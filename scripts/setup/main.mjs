// `node scripts/run.mjs <what> [args]`: gets what is missing, then starts, tests, or whatever was asked for.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { expected, runChild } from './child.mjs'
import { withLock } from './lock.mjs'
import * as steps from './steps.mjs'

const root = resolve(fileURLToPath(import.meta.url), '..', '..', '..')

const say = (line) => console.error(`busbar: ${line}`)

const faultFiles = [
  ...[
    'test/faults',
    'test/seed',
    'test/property',
    'test/unit/witness',
    'test/unit/hostile',
    'test/cli/hostile',
  ],
  ...['test/integration/http-probe', 'test/integration/probe-kinds', 'test/integration/cached'],
]
const faultTable = ['--reporter=default', `--reporter=./${join('test', 'support', 'fault-table.ts')}`]

const vitest = join('node_modules', 'vitest', 'vitest.mjs')
const scripts = {
  // Containers need a Docker engine, so they run when asked for by name.
  test: (args) => [vitest, 'run', ...(projectChosen(args) ? [] : ['--project=!containers']), ...args],
  // The faults of docs/reliability.md, wherever they are tested, and a table of what was found.
  faults: (args) => [vitest, 'run', ...faultTable, ...(args.length > 0 ? args : faultFiles)],
  mutants: (args) => [join('scripts', 'mutants.mjs'), ...args],
  bench: (args) => [join('bench', 'run.mjs'), ...args],
  soak: (args) => [join('scripts', 'soak.mjs'), ...args],
  doomed: (args) => [join('scripts', 'doomed.mjs'), ...args],
}

const projectChosen = (args) => args.some((arg) => /^--project(=|$)/.test(arg))

/** Answers the exit code, or undefined when what was started goes on in this process and sets its own. */
export async function main([what, ...args]) {
  if (what !== 'start' && !Object.hasOwn(scripts, what ?? '')) {
    throw expected(`usage: node scripts/run.mjs start|${Object.keys(scripts).join('|')} [arguments]`)
  }
  const stopped = await prepare(root, say)
  if (stopped !== undefined) return stopped
  return what === 'start' ? start(args) : runScript(scripts[what](args))
}

/**
 * Looks first without the lock, so that nothing waits and nothing is written when nothing is missing. Answers an exit
 * code if a signal ended it.
 */
export async function prepare(folder, log) {
  if (!(await anythingMissing(folder))) return undefined
  return withLock(join(folder, '.busbar', 'setup.lock'), log, async () => {
    // Looked at again, one after the other: another process may have got it while we waited.
    let stopped
    if (steps.packagesMissing(folder)) stopped = await steps.installPackages(folder, log)
    if (stopped === undefined && steps.buildMissing(folder)) stopped = await steps.buildSources(folder, log)
    if (stopped === undefined && (await steps.redisMissing(folder)))
      await steps.installRedisServer(folder, log)
    return stopped
  })
}

async function anythingMissing(folder) {
  return steps.packagesMissing(folder) || steps.buildMissing(folder) || (await steps.redisMissing(folder))
}

/** In this very process, so that signals reach it without being passed on. */
async function start(args) {
  const bin = join(root, 'bin', 'busbar.mjs')
  process.argv = [process.execPath, bin, 'start', ...args]
  await import(pathToFileURL(bin).href)
}

async function runScript(args) {
  if (!existsSync(join(root, args[0]))) throw expected(`there is no ${args[0]} in this checkout`)
  const env = { ...process.env }
  // May be servers that matter; tests only ever use BUSBAR_TEST_REDIS_URL or their own.
  for (const name of ['REDIS_URL', 'BUSBAR_REDIS', 'BUSBAR_NAMESPACE']) delete env[name]
  const { code } = await runChild(process.execPath, args, { cwd: root, env })
  return code
}
