import { expect, test } from 'vitest'
import type { Snapshot } from '../../src/index.js'
import { connect } from '../../src/index.js'
import { watchMachine } from '../harness/machine.js'
import { privateRedis, worker, type PrivateRedis } from './workers.js'
import { eventually } from '../harness/eventually.mjs'

interface OutboxActions {
  start(): void
  calls(): number
  stop(): number
  register(count: number): {
    elapsedMs: number
    heapBytes: number
    usedHeapBytes: number
    rssBytes: number
  }
  peek(id: string): Snapshot | undefined
  admit(id: string): { admitted: boolean; source: string }
}

const applied = async ({ redis, namespace }: PrivateRedis, id = 'openai') =>
  Number((await redis.hget(`${namespace}:{${id}}:circuit`, 'applied')) ?? 0)

const options = (flushIntervalMs: number) => ({ flushIntervalMs, consistency: 'cached' })

test.each([100, 500])(
  'a process killed with a full outbox loses the successes of one flush interval (%i ms) at most',
  async (flushIntervalMs) => {
    const server = await privateRedis()
    const { redis, namespace } = server
    const one = await worker<OutboxActions>('outbox', server, {
      clockDouble: false,
      extra: { callsPerMs: 20 },
      options: options(flushIntervalMs),
    })
    await one.ask('start')
    // Killed somewhere within an interval, after several of them.
    await eventually(async () => (await applied(server)) >= 2_000, 'some batches have come')
    const machine = watchMachine()
    const before = { calls: await one.ask('calls'), at: performance.now() }
    await eventually(() => performance.now() - before.at >= flushIntervalMs * 1.7)
    const ended = await one.ask('stop')
    const perMs = (ended - before.calls) / (performance.now() - before.at)
    await one.kill()
    machine.stop()
    // What reached Redis before the kill is applied before this is answered: one thread, one order.
    await redis.ping()
    const written = await applied(server)
    const lost = ended - written
    console.log(
      `killed with a full outbox, flushIntervalMs ${flushIntervalMs}: ${ended} calls ended, ` +
        `${written} written, ${lost} lost = ${(lost / perMs).toFixed(0)} ms of ${perMs.toFixed(1)} calls a ms`,
    )
    expect(written).toBeGreaterThan(0)
    // The timer may be late on a busy machine, and the batch takes a moment.
    expect(lost / perMs).toBeLessThanOrEqual(flushIntervalMs + 60 + machine.lostMs)
    const total = await redis.hget(`${namespace}:{openai}:circuit`, 'applied')
    expect(Number(total)).toBe(written)
  },
)

test('10 000 providers in one process: each is followed, and costs little', async () => {
  const COUNT = 10_000
  const server = await privateRedis()
  const { url, namespace } = server
  const one = await worker<OutboxActions>('outbox', server, {
    clockDouble: false,
    options: { ...options(100), commandTimeoutMs: 60_000 },
    execArgv: ['--expose-gc'],
  })
  const { elapsedMs, heapBytes, usedHeapBytes, rssBytes } = await one.ask('register', COUNT)
  const kib = (bytes: number) => (bytes / 1_024).toFixed(2)
  console.log(
    `${COUNT} providers in one process: registered in ${elapsedMs.toFixed(0)} ms; heap ${kib(heapBytes)} KiB each, ` +
      `${kib(usedHeapBytes)} KiB after a call of each, ${kib(rssBytes)} KiB of resident memory each`,
  )
  expect(usedHeapBytes).toBeLessThan(12 * 1_024)

  const other = await connect({ redis: url, namespace, logger: false, commandTimeoutMs: 5_000 })
  try {
    for (const id of ['provider-0', 'provider-4711', `provider-${COUNT - 1}`]) {
      expect(await one.ask('admit', id)).toEqual({ admitted: true, source: 'cache' })
      const handle = await other.provider(id)
      const began = performance.now()
      await handle.trip({ reason: 'by hand' })
      await eventually(async () => (await one.ask('peek', id))?.state === 'open', `${id} is known to be open`)
      console.log(`  a change to ${id} was known within ${(performance.now() - began).toFixed(0)} ms`)
      expect(await one.ask('admit', id)).toEqual({ admitted: false, source: 'cache' })
    }
    expect(await one.ask('admit', 'provider-1')).toEqual({ admitted: true, source: 'cache' })
  } finally {
    await other.close()
  }
})
