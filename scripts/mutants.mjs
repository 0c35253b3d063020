// Plants faults in a copy of lua/, one at a time, and sees whether the tests catch each. A fault that survives is a test
// that is missing. `npm run mutants` runs all; `-- --short` the essential ones with fewer sequences; `-- --only <word>`
// those whose description or file bears the word.
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'

import { mutants } from './mutants/list.mjs'

const root = resolve(fileURLToPath(import.meta.url), '..', '..')
const LANES = 2
/** A run that takes longer hangs, which is caught too. */
const RUN_LIMIT_MS = 60_000

/** Tests by what they cost: each suite is asked only if those before it caught nothing. */
const SUITES = [
  { name: 'property', args: ['--project', 'property'], short: true },
  { name: 'seed', args: ['--project', 'seed'] },
  { name: 'contract', args: ['--project', 'contract', 'test/contract/redis.test.ts'] },
  { name: 'faults', args: ['--project', 'faults', 'late-results', 'lasting-statements'] },
]

const { values: options } = parseArgs({
  options: { short: { type: 'boolean', default: false }, only: { type: 'string' } },
})
const folder = mkdtempSync(join(tmpdir(), 'busbar-mutants-'))
const running = new Set()

/** A copy of lua/ with the edits made. Each text to be replaced must be there exactly once. */
function plant(name, edits) {
  const dir = join(folder, name)
  cpSync(join(root, 'lua'), dir, { recursive: true })
  for (const { file, find, replace } of edits) {
    const path = join(dir, file)
    const source = readFileSync(path, 'utf8')
    const found = source.split(find).length - 1
    if (found !== 1) throw new Error(`${file}: expected once, found ${found} times:\n${find}`)
    writeFileSync(
      path,
      source.replace(find, () => replace),
    )
  }
  return dir
}

/** A fault that does not even compile would be caught by anything, and would prove nothing. */
async function checkCompiles(redis, dir, why) {
  const { flatten, scriptNames } = await import(
    pathToFileURL(join(root, 'dist', 'redis', 'lua-source.js')).href
  )
  for (const name of scriptNames(dir)) {
    await redis.script('LOAD', flatten(name, { dir })).catch((error) => {
      throw new Error(`"${why}" does not compile in ${name}.lua: ${error.message}`)
    })
  }
}

/** Runs one suite against a folder of scripts; undefined when all its tests pass, else what failed first. */
async function runSuite(suite, dir, label) {
  const report = join(folder, `${label}-${suite.name}.json`)
  const args = [
    join('node_modules', 'vitest', 'vitest.mjs'),
    'run',
    ...suite.args,
    '--bail=1',
    '--passWithNoTests',
  ]
  const env = {
    ...process.env,
    BUSBAR_TEST_LUA_DIR: dir,
    BUSBAR_PROPERTY_RUNS: options.short ? '150' : '300',
    BUSBAR_PROPERTY_SEED: '20',
  }
  delete env.BUSBAR_TEST_REDIS_URL // a fault may hang a Redis; each run has its own
  const child = spawn(process.execPath, [...args, '--reporter=json', `--outputFile=${report}`], {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  })
  running.add(child)
  let problem = ''
  child.stderr.on('data', (chunk) => (problem += chunk))
  let late = false
  const timer = setTimeout(() => {
    late = true
    end(child)
  }, RUN_LIMIT_MS)
  const code = await new Promise((done) => child.once('close', done))
  clearTimeout(timer)
  running.delete(child)
  if (code === 0) return undefined
  return late
    ? `${suite.name}: hung`
    : `${suite.name}: ${firstFailure(report) ?? problem.trim().split('\n')[0]}`
}

/** With everything it started: the tests' workers and their Redis. */
function end(child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // gone already
  }
}

function firstFailure(report) {
  try {
    const { testResults } = JSON.parse(readFileSync(report, 'utf8'))
    const tests = testResults.flatMap((file) => file.assertionResults)
    return tests.find((test) => test.status === 'failed')?.title ?? testResults[0]?.message
  } catch {
    return undefined // it did not get as far as a report
  }
}

/** Asks one suite after the other until one fails. */
async function firstToCatch(suites, dir, label) {
  for (const suite of suites) {
    const failure = await runSuite(suite, dir, label)
    if (failure !== undefined) return failure
  }
  return undefined
}

async function inLanes(items, work) {
  const left = [...items]
  const lane = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}

function choose() {
  const chosen = options.short ? mutants.filter((mutant) => mutant.short) : mutants
  const word = options.only?.toLowerCase()
  return word === undefined
    ? chosen
    : mutants.filter((mutant) => JSON.stringify(mutant).toLowerCase().includes(word))
}

async function main() {
  const began = performance.now()
  const suites = options.short ? SUITES.filter((suite) => suite.short) : SUITES
  const planted = choose().map((mutant, i) => ({
    ...mutant,
    label: `${i + 1}`,
    dir: plant(`${i + 1}`, mutant.edits),
  }))
  const { startRedis } = await import(pathToFileURL(join(root, 'dist', 'embedded', 'index.js')).href)
  const server = await startRedis()
  const redis = new Redis(server.url)
  for (const { dir, why } of planted) await checkCompiles(redis, dir, why)
  await redis.quit()
  await server.stop()

  const sound = plant('sound', [])
  const broken = []
  await inLanes(suites, async (suite) => {
    const failure = await runSuite(suite, sound, 'sound')
    if (failure !== undefined) broken.push(failure)
  })
  for (const failure of broken) console.log(`without any fault planted, the tests fail: ${failure}`)
  if (broken.length > 0) return 1

  const survivors = []
  await inLanes(planted, async ({ why, edits, dir, label }) => {
    const failure = await firstToCatch(suites, dir, label)
    if (failure === undefined) survivors.push(why)
    const files = [...new Set(edits.map((edit) => edit.file))].join(', ')
    const verdict = failure === undefined ? 'SURVIVED' : `caught    ${failure}`
    console.log(`${label.padStart(3)}  ${why.padEnd(64)}  ${files.padEnd(18)}  ${verdict}`)
  })
  const seconds = ((performance.now() - began) / 1_000).toFixed(0)
  console.log(
    `${planted.length} faults planted, ${planted.length - survivors.length} caught, in ${seconds} s`,
  )
  for (const why of survivors) console.log(`SURVIVED: ${why}: a test is missing`)
  return survivors.length === 0 ? 0 : 1
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    running.forEach(end)
    rmSync(folder, { recursive: true, force: true })
    process.exit(1)
  })
}
try {
  process.exitCode = await main()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
