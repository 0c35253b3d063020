import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { expect, it, onTestFinished } from 'vitest'
import { guard } from '../../src/bullmq/index.js'
import type { Busbar } from '../../src/index.js'
import { register, type RegisterOptions } from '../../src/metrics/prometheus.js'
import { eventually } from '../harness/eventually.mjs'
import { realFleet } from '../harness/real-fleet.js'
import { seriesIn } from '../harness/metric-names.js'

/** The series of one metric as they are now; the fleet is read anew each time. */
async function now(busbar: Busbar, metric: string, options: RegisterOptions = { fleet: true }) {
  const { registry, unregister } = register(busbar, options)
  const text = await registry.metrics()
  unregister()
  return seriesIn(text, metric)
}

it('has the rate window of a real fleet, with shares from minimumCalls on, and none where the circuit is open', async () => {
  const { join } = realFleet()
  const [reader, writer] = [await join(), await join()]
  const breaker = { failureThreshold: null, failureRate: 0.9, minimumCalls: 4 }
  const provider = await writer.provider('rated', { breaker })
  // Without a rate, the window is the history, and the same minimum holds.
  const plain = await writer.provider('plain', { breaker: { minimumCalls: 2 } })
  for (const outcome of ['healthy', 'healthy', 'unhealthy'] as const) await provider.record(outcome)
  await plain.record('degraded')
  await writer.flush()
  expect(await now(reader, 'busbar_window_calls')).toEqual({
    '{provider="rated"}': 3,
    '{provider="plain"}': 1,
  })
  expect(await now(reader, 'busbar_window_failure_ratio')).toEqual({})
  await provider.record('degraded')
  await plain.record('healthy')
  await writer.flush()
  expect(await now(reader, 'busbar_window_failure_ratio')).toEqual({
    '{provider="rated"}': 0.25,
    '{provider="plain"}': 0,
  })
  expect(await now(reader, 'busbar_window_degraded_ratio')).toEqual({
    '{provider="rated"}': 0.25,
    '{provider="plain"}': 0.5,
  })
  expect(await now(reader, 'busbar_suspect_domains')).toEqual({})
  await provider.trip()
  expect(await now(reader, 'busbar_window_calls')).toMatchObject({ '{provider="rated"}': 0 })
  expect(await now(reader, 'busbar_window_failure_ratio')).toEqual({ '{provider="plain"}': 0 })
})

it('counts the domains that a quorum suspects, not their processes', async () => {
  const { join } = realFleet()
  const [first, second] = [await join({ failureDomain: 'rack' }), await join({ failureDomain: 'rack' })]
  const other = await join({ failureDomain: 'node' })
  const settings = { breaker: { failureThreshold: 5, quorum: 2 } }
  const [bad, worse, good] = await Promise.all(
    [first, second, other].map((busbar) => busbar.provider('api', settings)),
  )
  expect(await now(other, 'busbar_suspect_domains')).toEqual({ '{provider="api"}': 0 })
  // A process that has had a success is a witness of its own.
  for (const one of [bad, worse, good]) await one?.record('healthy')
  await Promise.all([first.flush(), second.flush(), other.flush()])
  await eventually(async () => {
    for (let i = 0; i < 20; i += 1) await Promise.all([bad?.record('unhealthy'), worse?.record('unhealthy')])
    await good?.record('healthy')
    await Promise.all([first.flush(), second.flush(), other.flush()])
    return (await good?.snapshot())?.suspects.length === 2
  }, 'both processes of the rack are named')
  expect(await now(other, 'busbar_suspect_domains')).toEqual({ '{provider="api"}': 1 })
  expect(await now(other, 'busbar_circuit_state')).toMatchObject({ '{provider="api",state="closed"}': 1 })
})

it('counts the calls of a group that went to another member, whatever led them there', async () => {
  const { join } = realFleet()
  const busbar = await join({ consistency: 'strict' })
  const a = await busbar.provider('a', { group: 'llm', priority: 0, breaker: { failureThreshold: 2 } })
  for (const id of ['b', 'c']) await busbar.provider(id, { group: 'llm', priority: 1 })
  const { registry, unregister } = register(busbar)
  const bounded = register(busbar, { maxProviders: 1 })
  const failovers = async (from = registry) => seriesIn(await from.metrics(), 'busbar_failovers_total')
  const sum = async () => Object.values(await failovers()).reduce((all, one) => all + one, 0)
  const group = busbar.group('llm')
  const answer = ({ id }: { id: string }) => Promise.resolve({ status: id === 'a' ? 503 : 200, headers: {} })
  await group.execute(() => 1)
  expect(await failovers()).toEqual({})
  await group.execute(answer)
  await group.execute(answer, { timeoutMs: 1_000 })
  expect(await a.state()).toBe('open')
  // It refuses, and would have been the first.
  await group.execute(answer)
  const admitted = await group.admit()
  const again = await group.admit({ exclude: admitted.admitted ? [admitted.id] : [] })
  for (const one of [admitted, again]) if (one.admitted) await one.permit?.settle('healthy')
  expect(await sum()).toBe(5)
  const pairs = Object.keys(await failovers()).map((labels) => /from="(.)",to="(.)"/.exec(labels)?.slice(1))
  expect(pairs.filter((pair) => pair?.[0] === 'a').length).toBeGreaterThan(0)
  expect(pairs.filter((pair) => pair?.[1] === 'a')).toEqual([])
  // b and c share the calls: one of them is no failover of the other, but for the one that was excluded.
  expect(pairs.filter((pair) => pair?.[0] !== 'a')).toHaveLength(1)
  expect(await now(busbar, 'busbar_group_members')).toEqual({ '{group="llm"}': 3 })
  expect(await now(busbar, 'busbar_group_admissible')).toEqual({ '{group="llm"}': 2 })
  const rest = await failovers(bounded.registry)
  expect(Object.values(rest).reduce((all, one) => all + one, 0)).toBe(5)
  expect(Object.keys(rest).every((labels) => labels.includes('to="_other"'))).toBe(true)
  bounded.unregister()
  for (const id of ['b', 'c']) await busbar.remove(id)
  expect(await failovers()).toEqual({})
  unregister()
})

it('counts the jobs of BullMQ that a provider put off, by queue', async () => {
  const { join, namespace, url } = realFleet()
  const busbar = await join()
  const provider = await busbar.provider('mail')
  const { registry } = register(busbar)
  const connection = new Redis(url, { maxRetriesPerRequest: null })
  const queue = new Queue(namespace, { connection })
  const worker = new Worker(
    namespace,
    guard(provider, () => 'sent', { spreadMs: 0 }),
    { connection },
  )
  onTestFinished(async () => {
    await worker.close(true)
    await queue.obliterate({ force: true })
    await queue.close()
    connection.disconnect()
  })
  await provider.trip({ forMs: 500 })
  const job = await queue.add('send', {})
  await eventually(async () => (await job.getState()) === 'completed', 'the job is done after the outage')
  const counted = seriesIn(await registry.metrics(), 'busbar_deferred_jobs_total')
  expect(counted).toEqual({
    [`{provider="mail",queue="${namespace}"}`]: busbar.counters.jobsDeferred,
  })
  expect(busbar.counters.jobsDeferred).toBeGreaterThan(0)
})
