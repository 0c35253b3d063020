// `node scripts/run.mjs <what> [args]`: gets what is missing, then starts, tests, or whatever was asked for.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { expected, runChild } from './child.mjs'
import { withLock } from './lock.mjs'
import * as steps from './steps.mjs'
import { extraPackages, leftOut, suites, toolsOf } from './suite.mjs'

const root = resolve(fileURLToPath(import.meta.url), '..', '..', '..')

const say = (line) => console.error(`busbar: ${line}`)

const script =
  (...path) =>
  (args) => [{ args: [join(...path), ...args], env: {} }]

/** What can be asked for: each answers what node runs, one after the other. */
const scripts = {
  setup: () => [],
  ...suites,
  mutants: script('scripts', 'mutants.mjs'),
  bench: script('bench', 'run.mjs'),
  soak: script('test', 'harness', 'soak', 'soak.mjs'),
  doomed: script('scripts', 'doomed.mjs'),
  recording: script('scripts', 'recording.mjs'),
  screenshots: script('scripts', 'screenshots.mjs'),
  simulate: script('scripts', 'simulate-tables.mjs'),
  'simulate-live': script('scripts', 'simulate-live.mjs'),
}

/** Answers the exit code, or undefined when what was started goes on in this process and sets its own. */
export async function main([what, ...args]) {
  if (what !== 'start' && !Object.hasOwn(scripts, what ?? '')) {
    throw expected(`usage: node scripts/run.mjs start|${Object.keys(scripts).join('|')} [arguments]`)
  }
  const stopped = (await prepare(root, say)) ?? (await prepareExtras(extraPackages(root, what, args)))
  if (stopped !== undefined) return stopped
  await steps.installTools(toolsOf(what, args), say)
  if (what === 'start') return start(args)
  const code = await runInTurn(scripts[what](args, root))
  if (what === 'test' && args.length === 0) say(leftOut(root))
  return code
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

/** All of them, also after one that failed; a signal ends them all. */
async function runInTurn(runs) {
  let worst = 0
  for (const { args, env } of runs) {
    const { code, signal } = await runScript(args, env)
    if (signal !== undefined) return code
    worst = Math.max(worst, code)
  }
  return worst
}

function runScript(args, more) {
  if (!existsSync(join(root, args[0]))) throw expected(`there is no ${args[0]} in this checkout`)
  const env = { ...process.env, ...more }
  // May be servers that matter; tests only ever use BUSBAR_TEST_REDIS_URL or their own.
  for (const name of ['REDIS_URL', 'BUSBAR_REDIS', 'BUSBAR_NAMESPACE']) delete env[name]
  return runChild(process.execPath, args, { cwd: root, env })
}

/** Packages that have a lock file of their own, in the folder of what needs them. */
async function prepareExtras(folders) {
  for (const folder of folders) {
    const stopped = steps.packagesMissing(folder) ? await steps.installPackages(folder, say) : undefined
    if (stopped !== undefined) return stopped
  }
  return undefined
}
