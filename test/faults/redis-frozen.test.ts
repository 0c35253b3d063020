import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { startRedis, type EmbeddedRedis } from '../../src/embedded/index.js'
import { connect, type Busbar, type ConnectOptions, type Decision, type StoreEvent } from '../../src/index.js'
import { runCli } from '../harness/cli.js'
import { eventually } from '../harness/eventually.mjs'
import { besideMachine, QUIET_MS, watchMachine } from '../harness/machine.js'
import { startProxy } from '../harness/proxy.js'
import { documented } from '../harness/transcript.js'

const COMMAND_TIMEOUT_MS = 200
/** What a busy machine may add to a deadline, ms. */
const MARGIN_MS = 150

async function testStore() {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const join = async (options: Partial<ConnectOptions> = {}) => {
    const given = { redis: server.url, logger: false as const, commandTimeoutMs: COMMAND_TIMEOUT_MS }
    const busbar = await connect({ ...given, ...options })
    onTestFinished(() => busbar.close({ timeoutMs: 500 }))
    return { busbar, events: eventsOf(busbar) }
  }
  return { server, join }
}

function eventsOf(busbar: Busbar): StoreEvent[] {
  const events: StoreEvent[] = []
  for (const kind of ['store_lost', 'store_restored'] as const) busbar.on(kind, (event) => events.push(event))
  return events
}

const freeze = ({ pid }: EmbeddedRedis) => {
  process.kill(pid, 'SIGSTOP')
  // A stopped process does not end by a polite signal.
  onTestFinished(() => thaw({ pid }))
}
const thaw = ({ pid }: Pick<EmbeddedRedis, 'pid'>) => {
  try {
    process.kill(pid, 'SIGCONT')
  } catch {
    // It has ended.
  }
}

const kinds = (events: readonly StoreEvent[]) => events.map((event) => event.kind)

test.each(['cached', 'strict'] as const)(
  'Redis frozen under traffic (%s): nobody waits longer than one command; then the fallback answers; thawed, the fleet agrees',
  async (consistency) => {
    const { server, join } = await testStore()
    const machine = watchMachine()
    onTestFinished(() => machine.stop())
    const fleet = await Promise.all([1, 2, 3].map(() => join({ consistency })))
    const handles = await Promise.all(
      fleet.map(({ busbar }) => busbar.provider('openai', { breaker: { failureThreshold: 5 } })),
    )
    let running = true
    let longestMs = 0
    /** Less what the machine stood still meanwhile. */
    let longestOverMs = 0
    let calls = 0
    const errors: unknown[] = []
    const traffic = handles.map(async (handle, n) => {
      for (let i = 0; running; i += 1) {
        const call = async () => {
          await new Promise((resolve) => setTimeout(resolve, 1))
          if ((i + n) % 7 === 0) throw new Error('HTTP 500')
        }
        const { ms, lostMs } = await besideMachine(() =>
          handle.execute(call).catch((error: unknown) => {
            if (!(error instanceof Error && error.message === 'HTTP 500')) errors.push(error)
          }),
        )
        longestMs = Math.max(longestMs, ms)
        longestOverMs = Math.max(longestOverMs, ms - lostMs)
        calls += 1
      }
    })
    await eventually(() => calls > 100, 'traffic flows')
    freeze(server)
    const frozenAt = performance.now()
    await eventually(() => fleet.every(({ busbar }) => busbar.degradedSince !== undefined), 'all know')
    const knownMs = performance.now() - frozenAt
    const before = calls
    await eventually(() => calls > before + 300, 'calls go on')
    const decisions = await Promise.all(handles.map((handle) => handle.admit()))
    expect(decisions.map(({ source }) => source)).toEqual(['fallback', 'fallback', 'fallback'])
    expect(handles.map((handle) => handle.peek()?.source)).toEqual(['fallback', 'fallback', 'fallback'])
    for (const handle of handles) {
      const { ms, lostMs } = await besideMachine(() =>
        expect(handle.snapshot()).rejects.toMatchObject({ code: 'redis_unavailable' }),
      )
      expect(ms - lostMs).toBeLessThan(100)
    }
    thaw(server)
    const thawedAt = performance.now()
    await eventually(() => fleet.every(({ busbar }) => busbar.degradedSince === undefined), 'all are back')
    const backMs = performance.now() - thawedAt
    running = false
    await Promise.all(traffic)
    await handles[0]?.trip({ reason: 'by hand' })
    await eventually(() => handles.every((handle) => handle.peek()?.state === 'open'), 'all agree')
    console.log(
      `fault 9 (${consistency}): ${calls} calls, the longest took ${longestMs.toFixed(0)} ms ` +
        `(commandTimeoutMs ${COMMAND_TIMEOUT_MS}); known by all after ${knownMs.toFixed(0)} ms, back ${backMs.toFixed(0)} ms after the thaw`,
    )
    expect(longestOverMs).toBeLessThan(COMMAND_TIMEOUT_MS + MARGIN_MS)
    expect(errors).toEqual([])
    for (const { events } of fleet) {
      // A Redis that the machine lets wait longer than a command may take is lost once more, and comes back.
      const outages = machine.stoodStillMs > QUIET_MS ? Math.ceil(events.length / 2) : 1
      expect(kinds(events)).toEqual(
        Array.from({ length: outages }, () => ['store_lost', 'store_restored']).flat(),
      )
      expect(events[1]?.outageMs).toBeGreaterThan(0)
    }
  },
)

test('an admission that Redis runs after the thaw holds no lease, and outcomes of the outage decide nothing', async () => {
  const { server, join } = await testStore()
  const settings = { breaker: { failureThreshold: 3, cooldownMs: 60_000 } }
  const one = await join()
  const mine = await one.busbar.provider('openai', settings)
  const watcher = await join()
  const theirs = await watcher.busbar.provider('openai')
  await mine.trip({ forMs: 50 })
  await eventually(async () => (await theirs.state()) === 'half_open', 'half-open')
  await eventually(() => mine.peek()?.state === 'half_open', 'both know')
  freeze(server)
  const { result, ms, lostMs } = await besideMachine(() => mine.admit())
  expect(result.source).toBe('fallback')
  expect(ms - lostMs).toBeLessThan(COMMAND_TIMEOUT_MS + MARGIN_MS)
  // As many failures as open a circuit: here they do nothing but enter the history.
  for (let i = 0; i < 3; i += 1) await mine.recordFailure()
  thaw(server)
  await eventually(
    () => one.busbar.degradedSince === undefined && watcher.busbar.degradedSince === undefined,
    'back',
  )
  await eventually(async () => (await theirs.historySize()) === 3, 'kept')
  expect(await theirs.snapshot()).toMatchObject({ state: 'half_open', trials: 0, consecutiveFailures: 0 })
  expect(await theirs.admit()).toMatchObject({ admitted: true, source: 'redis', permit: { trial: true } })
  console.log(
    'fault 9: after the thaw 0 trials under way, 3 outcomes of the outage in the history, none counted',
  )
})

test('what failed before a frozen Redis, or was on its way, does not add up with what fails after the thaw', async () => {
  const { server, join } = await testStore()
  const settings = { breaker: { failureThreshold: 3, cooldownMs: 60_000 } }
  const fleet = [await join(), await join()]
  const [mine, theirs] = await Promise.all(fleet.map(({ busbar }) => busbar.provider('openai', settings)))
  if (mine === undefined || theirs === undefined) throw new Error('two processes have two handles')
  const failuresThere = async () => (await theirs.snapshot()).consecutiveFailures
  await mine.recordFailure()
  await theirs.recordFailure()
  expect(await failuresThere()).toBe(2)
  freeze(server)
  // On its way when Redis froze: the third failure, which Redis finds in its socket when it thaws.
  await Promise.all([mine.recordFailure(), theirs.recordFailure()])
  await eventually(() => fleet.every(({ busbar }) => busbar.degradedSince !== undefined), 'all know')
  thaw(server)
  await eventually(() => fleet.every(({ busbar }) => busbar.degradedSince === undefined), 'all are back')
  await eventually(async () => (await theirs.historySize()) === 4, 'all is written')
  const back = await theirs.snapshot()
  expect(back).toMatchObject({ state: 'closed', consecutiveFailures: 0, applied: 4 })
  await mine.recordFailure()
  await eventually(async () => (await failuresThere()) === 1, 'counted')
  expect(await theirs.state()).toBe('closed')
  // From here on failures add up again, whoever reports them.
  await theirs.recordFailure()
  await mine.recordFailure()
  await eventually(async () => (await theirs.state()) === 'open', 'open')
  console.log('fault 9: 2 failures before, 2 on their way, 1 after the thaw: closed; 2 more: open')
})

test('docs/operations.md shows what a user sees while Redis is frozen', async () => {
  const { server, join } = await testStore()
  const lines: string[] = []
  const logger = pino({ base: null, timestamp: false }, { write: (line) => lines.push(line.trimEnd()) })
  const { busbar } = await join({ logger })
  const openai = await busbar.provider('openai', { breaker: { failureThreshold: 3 } })
  for (let i = 0; i < 9; i += 1) await openai.recordSuccess()
  await busbar.flush()
  freeze(server)
  await openai.recordFailure()
  await eventually(() => busbar.degradedSince !== undefined, 'lost')
  const shown: string[] = []
  for (const command of ['status', 'status openai', 'explain openai', 'status --json']) {
    const { stdout, stderr, code } = await runCli([...command.split(' '), '--redis', server.url])
    shown.push(`$ npx busbar ${command}; echo $?\n${(stdout + stderr).trimEnd()}\n${code}`)
  }
  thaw(server)
  await eventually(() => busbar.degradedSince === undefined, 'back')
  const after = await runCli(['status', '--redis', server.url])
  expect(after).toMatchObject({ code: 0, stderr: '' })
  // What differs from run to run.
  const steady = (text: string) =>
    text
      .replace(/redis:\/\/[^ ]*:\d+/g, 'redis://127.0.0.1:6379')
      .replace(/("outageMs":)\d+/g, '$17012')
      .replace(/("since":)"[^"]+"/g, '$1"2026-03-14T15:09:26.535Z"')
  await eventually(() => lines.length >= 2, 'the end is logged')
  const frozen = steady(shown.join('\n\n'))
  const log = steady(lines.join('\n'))
  expect(lines).toHaveLength(2)
  expect(documented('docs/operations.md', 'frozen', frozen)).toBe(frozen)
  expect(documented('docs/operations.md', 'frozen log', log)).toBe(log)
})

test('where only one process is cut off, the failures that others counted stay', async () => {
  const { server, join } = await testStore()
  const proxy = await startProxy(server.port)
  // Long, for both: a command that a busy machine delays would be a second outage, whose outcomes decide nothing.
  const { busbar } = await join({ redis: proxy.url, commandTimeoutMs: 3_000 })
  const near = await join({ commandTimeoutMs: 3_000 })
  const settings = { breaker: { failureThreshold: 3, cooldownMs: 60_000 } }
  const mine = await busbar.provider('openai', settings)
  const theirs = await near.busbar.provider('openai')
  await mine.recordFailure()
  await eventually(async () => (await theirs.snapshot()).consecutiveFailures === 1, 'counted')
  proxy.cut()
  await eventually(() => busbar.degradedSince !== undefined, 'lost')
  // Clearly after the loss: when it was is known to the other only as long as its own batch is on its way.
  const lostAt = busbar.degradedSince ?? Date.now()
  await eventually(() => Date.now() - lostAt > 1_000, 'the outage lasts')
  await theirs.recordFailure()
  proxy.restore()
  await eventually(() => busbar.degradedSince === undefined, 'back')
  expect((await theirs.snapshot()).consecutiveFailures).toBe(2)
  await mine.recordFailure()
  await eventually(async () => (await theirs.state()) === 'open', 'open')
})

test('outcomes of an outage are in the history at the time at which they happened', async () => {
  const { server, join } = await testStore()
  const { busbar } = await join()
  const mine = await busbar.provider('openai')
  await mine.recordFailure()
  freeze(server)
  const machine = watchMachine()
  onTestFinished(() => machine.stop())
  const startedAt = performance.now()
  const at: number[] = []
  for (const outcome of ['timeout', 'degraded', 'terminated'] as const) {
    await eventually(() => performance.now() - startedAt > at.length * 400, 'some time passes')
    at.push(performance.now())
    await mine.record(outcome)
  }
  const endedAt = performance.now()
  await eventually(() => performance.now() - endedAt > 500, 'some time passes')
  thaw(server)
  await eventually(() => busbar.degradedSince === undefined, 'back')
  await eventually(async () => (await mine.historySize()) === 4, 'kept')
  const kept = await mine.history()
  expect(kept.map(({ status }) => status)).toEqual(['unhealthy', 'timeout', 'degraded', 'terminated'])
  const gaps = (times: readonly number[]) => times.slice(1).map((time, i) => time - (times[i] ?? 0))
  const [there, here] = [gaps(kept.slice(1).map((entry) => entry.at)), gaps(at)]
  for (const [i, ms] of there.entries())
    expect(Math.abs(ms - (here[i] ?? 0))).toBeLessThan(MARGIN_MS + machine.lostMs)
  console.log(
    `kept outcomes: ${here.map(Math.round).join(', ')} ms apart here, ${there.join(', ')} in the history`,
  )
})

test('cut off, each mode decides as it says; a provider may have its own', async () => {
  const { server, join } = await testStore()
  const proxy = await startProxy(server.port)
  const { busbar, events } = await join({ redis: proxy.url, onRedisDown: 'deny' })
  const near = await join()
  const settings = { breaker: { failureThreshold: 2, cooldownMs: 60_000 } }
  const modes = ['local', 'allow', 'deny'] as const
  const ids = ['closed', 'open', 'marked'] as const
  const handles = new Map<string, Awaited<ReturnType<Busbar['provider']>>>()
  for (const mode of modes) {
    for (const id of ids) {
      const options = mode === 'deny' ? {} : { onRedisDown: mode }
      const handle = await busbar.provider(`${mode}-${id}`, settings, options)
      handles.set(`${mode} ${id}`, handle)
      if (id === 'open') await handle.trip({ forMs: 600_000 })
      if (id === 'marked') await handle.markUnhealthy()
    }
  }
  proxy.cut()
  await eventually(() => busbar.degradedSince !== undefined, 'lost')
  const short = (decision: Decision) => [decision.source, decision.admitted ? 'admitted' : decision.code]
  const answers: Record<string, unknown> = {}
  for (const [name, handle] of handles) answers[name] = short(await handle.admit())
  expect(answers).toEqual({
    'local closed': ['fallback', 'admitted'],
    'local open': ['fallback', 'circuit_open'],
    'local marked': ['fallback', 'marked_unhealthy'],
    'allow closed': ['fallback', 'admitted'],
    'allow open': ['fallback', 'admitted'],
    'allow marked': ['fallback', 'marked_unhealthy'],
    'deny closed': ['fallback', 'redis_down'],
    'deny open': ['fallback', 'redis_down'],
    'deny marked': ['fallback', 'redis_down'],
  })
  // The rules go on in this process: two failures open its own circuit, and nobody else's.
  const local = handles.get('local closed')
  await expect(local?.execute(() => Promise.reject(new Error('HTTP 500')))).rejects.toThrow('HTTP 500')
  await expect(local?.execute(() => Promise.reject(new Error('HTTP 500')))).rejects.toThrow('HTTP 500')
  expect(local?.peek()).toMatchObject({ state: 'open', source: 'fallback' })
  await expect(local?.execute(() => 1)).rejects.toMatchObject({ code: 'circuit_open' })
  proxy.restore()
  await eventually(() => busbar.degradedSince === undefined, 'back')
  expect(local?.peek()).toMatchObject({ state: 'closed' })
  const there = await near.busbar.provider('local-closed')
  await eventually(async () => (await there.historySize()) === 2, 'kept')
  expect(await there.snapshot()).toMatchObject({ state: 'closed', consecutiveFailures: 0 })
  expect(kinds(events)).toEqual(['store_lost', 'store_restored'])
  console.log('cut off: 9 of 9 decisions as their modes say, each from the fallback')
})

test('in fallback a process tries an open provider once in a cooldown at most', async () => {
  const { server, join } = await testStore()
  const proxy = await startProxy(server.port)
  const { busbar } = await join({ redis: proxy.url })
  const cooldownMs = 300
  const handle = await busbar.provider('openai', { breaker: { failureThreshold: 1, cooldownMs } })
  await handle.recordFailure()
  await eventually(() => handle.peek()?.state === 'open', 'open')
  const openedAt = performance.now()
  proxy.cut()
  await eventually(() => busbar.degradedSince !== undefined, 'lost')
  const trials: number[] = []
  await eventually(async () => {
    const decision = await handle.admit()
    if (!decision.admitted || decision.source !== 'fallback') return false
    trials.push(performance.now() - openedAt)
    await decision.permit.settle('unhealthy')
    return trials.length === 3
  }, 'three trials')
  const gaps = trials.map((at, i) => at - (trials[i - 1] ?? 0))
  console.log(
    `fallback: cooldown ${cooldownMs} ms, trials ${gaps.map((ms) => ms.toFixed(0)).join(', ')} ms apart`,
  )
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(cooldownMs - 50)
})

test('connect while Redis is down begins without it, and joins when it comes', async () => {
  const first = await startRedis()
  const { url, port } = first
  await first.stop()
  const given = { redis: url, logger: false as const, commandTimeoutMs: COMMAND_TIMEOUT_MS }
  await expect(connect({ ...given, onRedisDown: 'deny' })).rejects.toMatchObject({
    code: 'redis_unavailable',
  })
  const { result: busbar, ms } = await besideMachine(() =>
    connect({ ...given, providers: { early: { breaker: { failureThreshold: 7 } } } }),
  )
  onTestFinished(() => busbar.close({ timeoutMs: 500 }))
  const events = eventsOf(busbar)
  expect(busbar.degradedSince).toBeGreaterThan(0)
  const late = await busbar.provider('late')
  const early = busbar.get('early')
  expect(await late.execute(() => 1)).toBe(1)
  expect(await early?.admit()).toMatchObject({ admitted: true, source: 'fallback' })
  const denied = await busbar.provider('denied', {}, { onRedisDown: 'deny' }).catch((error: unknown) => error)
  expect(denied).toMatchObject({ code: 'redis_unavailable' })
  const server = await startRedis({ port })
  onTestFinished(() => server.stop())
  const { ms: joinMs } = await besideMachine(() =>
    eventually(() => busbar.degradedSince === undefined, 'joined'),
  )
  expect(kinds(events)).toEqual(['store_restored'])
  expect(await late.admit()).toMatchObject({ admitted: true, source: 'cache' })
  await eventually(async () => (await late.historySize()) === 1, 'kept')
  const other = await connect(given)
  onTestFinished(() => other.close())
  expect((await other.lookup('early'))?.settings.breaker.failureThreshold).toBe(7)
  await (await other.provider('late')).trip()
  await eventually(() => late.peek()?.state === 'open', 'followed')
  console.log(
    `fault 13: connected without Redis in ${ms.toFixed(0)} ms, joined ${joinMs.toFixed(0)} ms after it came`,
  )
})

test('connect with a wrong password rejects, whatever onRedisDown is', async () => {
  const { server } = await testStore()
  const { Redis } = await import('ioredis')
  const admin = new Redis(server.url)
  onTestFinished(() => admin.disconnect())
  await admin.config('SET', 'requirepass', 'right')
  for (const redis of [server.url, server.url.replace('redis://', 'redis://:wrong@')]) {
    await expect(connect({ redis, logger: false })).rejects.toMatchObject({ code: 'redis_unavailable' })
  }
})
