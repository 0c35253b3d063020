import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { connectWith } from '../../src/connect.js'
import { startRedis } from '../../src/embedded/index.js'
import { DEFAULTS, ERROR_CODES } from '../../src/index.js'
import { EVENT_KINDS } from '../../src/model/events.js'
import { processTree, startCommand, survivors } from '../harness/cli.js'
import { CLOCK_DOUBLE, movableClock } from '../harness/clock.js'
import { eventually } from '../harness/eventually.mjs'
import { onQuietMachine } from '../harness/machine.js'
import { documented, findRedisCli, normalise, transcribe } from '../harness/transcript.js'

const run = promisify(execFile)

test('docs/keys.md and the README show what redis-cli shows', async ({ task, onTestFinished, skip }) => {
  const cli = findRedisCli()
  if (cli === undefined) {
    task.meta.skipReason = 'redis-cli is not on PATH'
    return skip(task.meta.skipReason)
  }
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const clock = await movableClock(server.url, 'busbar')
  const mode = { consistency: 'strict' as const, commandTimeoutMs: 5_000 }
  const options = { redis: server.url, workerId: 'worker-1', logger: false as const, ...mode }
  const busbar = await connectWith(options, { overrides: CLOCK_DOUBLE })
  onTestFinished(() => busbar.close())
  const openai = await busbar.provider('openai')
  for (const outcome of ['healthy', 'healthy', 'timeout', 'timeout', 'timeout'] as const) {
    await clock.advance(20)
    await openai.record(outcome)
  }
  const opened = await transcribe(cli, server.port, [
    `HGETALL 'busbar:{openai}:circuit'`,
    `ZRANGE 'busbar:{openai}:history' 0 -1 WITHSCORES`,
    `HGETALL 'busbar:{openai}:config'`,
    `XREVRANGE 'busbar:{openai}:events' + - COUNT 1`,
    `HGETALL 'busbar:{openai}:batches'`,
  ])
  const short = await transcribe(cli, server.port, [
    `HMGET 'busbar:{openai}:circuit' state reason consecutive_failures retry_at_ms`,
  ])
  await clock.advance(30_000)
  expect((await openai.admit()).admitted).toBe(true)
  const tried = await transcribe(cli, server.port, [
    `ZRANGE 'busbar:{openai}:trials' 0 -1 WITHSCORES`,
    `HMGET 'busbar:{openai}:circuit' state generation`,
    'ZRANGE busbar:providers 0 -1 WITHSCORES',
    'ZRANGE busbar:workers 0 -1 WITHSCORES',
    'HGETALL busbar:meta',
  ])
  const actual = `${opened}\n\n${tried}`
  await clock.close()
  expect(short).toBe(documented('README.md', 'readme', short))
  expect(normalise(actual)).toBe(normalise(documented('docs/keys.md', 'keys', actual)))
})

test('the quick start of the README is examples/quickstart.mjs, and does what it says', async ({
  onTestFinished,
}) => {
  const readme = readFileSync('README.md', 'utf8')
  const sample = readFileSync('examples/quickstart.mjs', 'utf8')
  expect(readme).toContain('```js\n' + sample + '```')
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const env = { ...process.env, REDIS_URL: server.url }
  const { stdout } = await run(process.execPath, ['examples/quickstart.mjs'], { env, timeout: 20_000 })
  // The event comes over a channel of its own, so it may come before or after the call that caused it.
  const said = (text: string) => text.trim().split('\n').sort()
  const shown = /<!-- quickstart -->\n```console\n([^]*?)```/.exec(readme)?.[1] ?? ''
  const steady = (text: string) => said(text).filter((line) => !line.startsWith('$'))
  expect(steady(stdout)).toEqual(steady(shown))
})

test('a fleet with one breaker spends fewer doomed calls than processes with one each', async (context) => {
  const server = await startRedis()
  context.onTestFinished(() => server.stop())
  const env = { ...process.env, REDIS_URL: server.url }
  await onQuietMachine(context, async () => {
    const { stdout } = await run(process.execPath, ['examples/shared-or-per-process.mjs'], {
      env,
      timeout: 60_000,
    })
    const [shared, alone] = [...stdout.matchAll(/(\d+) of 160 calls reached/g)].map((found) =>
      Number(found[1]),
    )
    console.log(stdout.trim())
    // A breaker lets what is under way end: on a busy machine a process of its own has a call more.
    expect(alone).toBeGreaterThanOrEqual(8 * 3)
    // The threshold, and what the other seven had under way when it was reached; on a busy machine that is known later.
    expect(shared).toBeGreaterThanOrEqual(3)
    expect(shared).toBeLessThan(8 * 3)
  })
})

test('docs/errors.md lists the codes of the registry, with their meanings', () => {
  const page = readFileSync('docs/errors.md', 'utf8')
  const rows = [...page.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map((row) => [row[1], row[2]])
  expect(Object.fromEntries(rows)).toEqual(ERROR_CODES)
})

test('docs/keys.md lists every kind of event', () => {
  const page = readFileSync('docs/keys.md', 'utf8')
  const events = page.slice(page.indexOf('## Events'), page.indexOf('## The scripts'))
  expect([...events.matchAll(/^\| `(\w+)` \|/gm)].map((row) => row[1])).toEqual([...EVENT_KINDS])
})

test('docs/configuration.md states the defaults', () => {
  const page = readFileSync('docs/configuration.md', 'utf8')
  const stated = new Map(
    [...page.matchAll(/^\| `([\w.]+)` \| ([^|]*) \|/gm)].map((row) => [row[1], row[2]?.trim()]),
  )
  const show = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
  const expected = [
    ...Object.entries(DEFAULTS.breaker).map(([key, value]) => [`breaker.${key}`, show(value)] as const),
    ...Object.entries(DEFAULTS.history).map(([key, value]) => [`history.${key}`, show(value)] as const),
    ...Object.entries(DEFAULTS.probe).map(([key, value]) => [`probe.${key}`, show(value)] as const),
    ...Object.entries(DEFAULTS.httpProbe).map(([key, value]) => [`probe.${key}`, show(value)] as const),
    ...Object.entries(DEFAULTS.httpRoute).map(([key, value]) => [`probe.${key}`, show(value)] as const),
    ...Object.entries(DEFAULTS.connect).map(([key, value]) => [key, show(value)] as const),
    ...Object.entries(DEFAULTS.family).map(([key, value]) => [key, show(value)] as const),
  ]
  for (const [setting, value] of expected) expect(stated.get(setting), setting).toBe(value)
})

test('its processes end when the one that started them is killed', async ({ onTestFinished }) => {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const example = startCommand(['examples/shared-or-per-process.mjs'], { env: { REDIS_URL: server.url } })
  let tree: number[] = []
  await eventually(() => (tree = processTree(example.pid)).length > 8)
  // Frozen, it never says 'go': its processes connect, and wait for it.
  process.kill(example.pid, 'SIGSTOP')
  const redis = new Redis(server.url)
  onTestFinished(() => redis.disconnect())
  await eventually(async () => String(await redis.client('LIST')).match(/cmd=subscribe/g)?.length === 8)
  process.kill(example.pid, 'SIGKILL')
  expect(await survivors(tree, 10_000)).toEqual([])
})
