// Plants faults in a copy of lua/, one at a time, and sees whether the tests catch each. A fault that survives is a test
// that is missing. `npm run mutants` runs all; `-- --short` the essential ones with fewer sequences; `-- --only <words>`
// those whose description or file bears one of the words, which commas separate.
//
// One vitest runs all of it, so that only the first run pays for its start. Each run is a process of its own, which
// finds the changed scripts by BUSBAR_TEST_LUA_DIR.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { createVitest } from 'vitest/node'

import { mutants } from './mutants/list.mjs'

const root = resolve(fileURLToPath(import.meta.url), '..', '..')

/** In the order in which they are asked: each only if those before it caught nothing. */
const SUITES = [
  { name: 'property', files: /\/test\/property\//, short: true },
  { name: 'seed', files: /\/test\/seed\// },
  { name: 'contract', files: /\/test\/contract\/redis\.test\.ts$/ },
  { name: 'faults', files: /\/test\/faults\/(late-results|lasting-statements)\.test\.ts$/ },
]

const { values: options } = parseArgs({
  options: { short: { type: 'boolean', default: false }, only: { type: 'string' } },
})

/** Sequences of the property test, the same ones for every fault. */
const SEQUENCES = '300'
const SEED = '20'

/** A copy of lua/ with the edits made. Each text to be replaced must be there exactly once. */
function plant(folder, name, edits) {
  const dir = join(folder, name)
  cpSync(join(root, 'lua'), dir, { recursive: true })
  for (const { file, find, replace } of edits) {
    const path = join(dir, file)
    const source = readFileSync(path, 'utf8')
    const found = source.split(find).length - 1
    if (found !== 1) throw new Error(`${file}: expected once, found ${found} times:\n${find}`)
    const changed = source.replace(find, () => replace)
    if (changed === source) throw new Error(`${file}: nothing changed:\n${find}`)
    writeFileSync(path, changed)
  }
  return dir
}

/** A private Redis for all runs. A fault that hangs it gets the next ones a fresh one. */
async function startServer() {
  const { startRedis } = await built('embedded', 'index.js')
  let server = await startRedis()
  const redis = new Redis(server.url, { maxRetriesPerRequest: null })
  redis.on('error', () => undefined)
  return {
    url: server.url,
    redis,
    revive: async () => {
      const answered = await Promise.race([redis.ping().then(() => true), sleep(5_000, false)]).catch(
        () => false,
      )
      if (answered) return
      await server.stop()
      server = await startRedis({ port: server.port })
    },
    stop: async () => {
      redis.disconnect()
      await server.stop()
    },
  }
}

const built = (...path) => import(pathToFileURL(join(root, 'dist', ...path)).href)

/** A fault that does not even compile would be caught by anything, and would prove nothing. */
async function checkCompiles(redis, { dir, why }) {
  const { flatten, scriptNames } = await built('redis', 'lua-source.js')
  for (const name of scriptNames(dir)) {
    await redis.script('LOAD', flatten(name, { dir })).catch((error) => {
      throw new Error(`"${why}" does not compile in ${name}.lua: ${error.message}`)
    })
  }
}

/** Runs one suite against a folder of scripts: undefined when all its tests pass, else which failed first. */
async function runSuite(vitest, suite, dir) {
  process.env.BUSBAR_TEST_LUA_DIR = dir
  const all = await vitest.globTestSpecifications()
  const specifications = all.filter((one) => suite.files.test(one.moduleId))
  if (specifications.length === 0) return undefined
  const ran = new Set(specifications.map((one) => one.moduleId))
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications, false)
  // Vitest remembers what earlier runs found; that says nothing of this one.
  const mine = testModules.filter((module) => ran.has(module.moduleId))
  const broken = mine.find((module) => !module.ok())
  if (broken === undefined && unhandledErrors.length === 0) return undefined
  const tests = mine.flatMap((module) => [...module.children.allTests('failed')])
  return `${suite.name}: ${tests[0]?.name ?? broken?.errors()[0]?.message ?? String(unhandledErrors[0])}`
}

/** Asks the suite that is known to catch it first: only if that fails to does it cost more. */
async function firstToCatch(vitest, suites, { dir, by }, isSound) {
  const ordered = [...suites].sort((a, b) => Number(b.name === by) - Number(a.name === by))
  for (const suite of ordered) {
    const failure = await runSuite(vitest, suite, dir)
    if (failure === undefined) continue
    await isSound(suite)
    return failure
  }
  return undefined
}

/** That a suite fails with a fault proves nothing unless it passes without: seen once, when it first matters. */
function soundness(vitest, dir) {
  const seen = new Set()
  return async (suite) => {
    if (seen.has(suite.name)) return
    const failure = await runSuite(vitest, suite, dir)
    if (failure !== undefined) throw new Error(`without any fault planted, the tests fail: ${failure}`)
    seen.add(suite.name)
  }
}

function choose() {
  const words = options.only?.toLowerCase().split(',')
  if (words === undefined) return options.short ? mutants.filter((mutant) => mutant.short) : mutants
  return mutants.filter((mutant) => words.some((word) => JSON.stringify(mutant).toLowerCase().includes(word)))
}

/** The number of those that no test caught. */
async function tryAll(vitest, suites, planted, server, isSound) {
  const survivors = []
  for (const [i, mutant] of planted.entries()) {
    const { why, edits } = mutant
    const failure = await firstToCatch(vitest, suites, mutant, isSound)
    if (failure === undefined) survivors.push(why)
    else await server.revive()
    const files = [...new Set(edits.map((edit) => edit.file))].join(', ')
    const verdict = failure === undefined ? 'SURVIVED' : `caught by ${failure}`
    console.log(`${String(i + 1).padStart(3)}  ${files.padEnd(33)} ${why.padEnd(70)} ${verdict}`)
  }
  for (const why of survivors) console.log(`SURVIVED: ${why}: a test is missing`)
  return survivors.length
}

async function main(folder) {
  const began = performance.now()
  const suites = options.short ? SUITES.filter((suite) => suite.short) : SUITES
  const planted = choose().map((mutant, i) => ({ ...mutant, dir: plant(folder, `${i + 1}`, mutant.edits) }))
  const sound = plant(folder, 'sound', [])
  const server = await startServer()
  for (const mutant of planted) await checkCompiles(server.redis, mutant)
  Object.assign(process.env, {
    BUSBAR_TEST_REDIS_URL: server.url,
    BUSBAR_PROPERTY_RUNS: SEQUENCES,
    BUSBAR_PROPERTY_SEED: SEED,
  })
  // A reporter that says nothing: the table is the report.
  const vitest = await createVitest('test', { watch: false, root, reporters: [{}] })
  try {
    const isSound = soundness(vitest, sound)
    await isSound(suites[0])
    const survived = await tryAll(vitest, suites, planted, server, isSound)
    const seconds = ((performance.now() - began) / 1_000).toFixed(0)
    console.log(`${planted.length} faults planted, ${planted.length - survived} caught, in ${seconds} s`)
    return survived === 0 ? 0 : 1
  } finally {
    await vitest.close()
    await server.stop()
  }
}

const folder = mkdtempSync(join(tmpdir(), 'busbar-mutants-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1))
try {
  process.exitCode = await main(folder)
} catch (error) {
  console.error(`mutants: ${error.message}`)
  process.exitCode = 1
}
