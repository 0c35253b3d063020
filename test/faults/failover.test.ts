import { expect, test } from 'vitest'
import { connect, isBusbarError, type Busbar, type Provider } from '../../src/index.js'
import { slotOf } from '../../src/redis/hash-slot.js'
import { startCluster } from '../harness/cluster.js'
import { eventually, holdsWithin } from '../harness/eventually.mjs'
import { figure } from '../harness/figure.js'
import { startSentinels } from '../harness/sentinel.js'

const IDS = ['p0', 'p1', 'p2', 'p3', 'p4', 'p5']
const SETTINGS = {
  breaker: { failureThreshold: 1_000_000 },
  history: { windowMs: 3_600_000, maxRecords: 1_000_000 },
}

/** What was acknowledged for so long has reached the replica, ms. */
const SAFE_AFTER_MS = 1_000
/** For so long transitions are made before the kill, ms: most of them are safe then, and some are not. */
const BEFORE_KILL_MS = 1_500

interface Losses {
  readonly lost: number
  readonly late: number
  readonly doubled: number
  readonly recorded: number
}

type OnEnd = (fn: () => Promise<void>) => void

const notAcknowledged = (error: unknown): undefined => {
  if (!isBusbarError(error, 'redis_unavailable')) throw error
}

/** Three processes' worth of busbars under traffic, and what their callers saw. */
class Traffic {
  readonly busbars: Busbar[] = []
  returned = 0
  refused = 0
  readonly strange: unknown[] = []
  /** Transitions that Redis acknowledged, in order, and when (ms, monotonic). */
  readonly acknowledged: { readonly id: string; readonly generation: number; readonly at: number }[] = []
  readonly heard: string[] = []
  #running = true
  #loops: Promise<void>[] = []

  static async start(redis: string, onEnd: OnEnd, consistency: 'cached' | 'strict'): Promise<Traffic> {
    const traffic = new Traffic()
    onEnd(async () => {
      await traffic.stop()
      await Promise.all(traffic.busbars.map((busbar) => busbar.close({ timeoutMs: 1_000 })))
    })
    for (let i = 0; i < 3; i += 1) {
      const busbar = await connect({ redis, namespace: 'failover', logger: false, consistency })
      traffic.busbars.push(busbar)
      for (const id of IDS) await busbar.provider(id, SETTINGS)
    }
    traffic.last.on('opened', ({ providerId, generation }) =>
      traffic.heard.push(`${providerId}:${generation}`),
    )
    for (const busbar of traffic.busbars) {
      for (const id of IDS.slice(0, 3)) traffic.#loops.push(traffic.#call(await busbar.provider(id)))
    }
    return traffic
  }

  get first(): Busbar {
    return this.#at(0)
  }

  get last(): Busbar {
    return this.#at(2)
  }

  #at(index: number): Busbar {
    const busbar = this.busbars[index]
    if (busbar === undefined) throw new Error('not started')
    return busbar
  }

  async #call(provider: Provider): Promise<void> {
    while (this.#running) {
      try {
        await provider.execute(() => new Promise((resolve) => setTimeout(resolve, 2)))
        this.returned += 1
      } catch (error) {
        if (isBusbarError(error, 'redis_down')) this.refused += 1
        else this.strange.push(error)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
  }

  /**
   * Opens and closes the circuits of the providers that have no traffic, for so long, at a pace at which their streams
   * of a thousand events hold all of it.
   */
  async transitions(ms: number): Promise<void> {
    const until = performance.now() + ms
    while (performance.now() < until) {
      for (const id of IDS.slice(3)) {
        const provider = await this.first.provider(id)
        for (const change of [() => provider.trip({ reason: 'by hand' }), () => provider.reset()]) {
          const acknowledged = await change()
            .then(() => provider.snapshot())
            .catch(notAcknowledged)
          // While nodes of a Cluster disagree about a slot, a command may be sent to and fro until it is given up.
          if (acknowledged === undefined) await eventually(() => this.first.degradedSince === undefined)
          else this.acknowledged.push({ id, generation: acknowledged.generation, at: performance.now() })
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  /** Waits until a transition of `id` is acknowledged, another process has heard of it, and all are served again. */
  async untilWhole(id: string): Promise<void> {
    const provider = this.first.get(id)
    if (provider === undefined) throw new Error(`${id} is not registered here`)
    const acknowledged = (work: Promise<unknown>) =>
      work.then(
        () => true,
        () => false,
      )
    await eventually(async () => {
      const tripped = await acknowledged(provider.trip({ reason: 'after' }))
      await acknowledged(provider.reset())
      return tripped && this.heard.some((entry) => entry.startsWith(`${id}:`))
    }, 'another process hears of an acknowledged transition')
    await eventually(async () => {
      const served = await Promise.all(this.busbars.map((busbar) => acknowledged(busbar.providers())))
      return served.every(Boolean)
    }, 'all are served again')
  }

  async #recorded(): Promise<number> {
    let sum = 0
    for (const id of IDS.slice(0, 3)) sum += (await again(async () => this.last.get(id)?.historySize())) ?? 0
    return sum
  }

  get outcomesLost(): number {
    return this.busbars.reduce((sum, { counters }) => sum + counters.outcomesLost, 0)
  }

  async stop(): Promise<void> {
    this.#running = false
    await Promise.all(this.#loops)
  }

  /**
   * Each provider's generations only rise, and every acknowledged transition is there once. Replication is asynchronous:
   * `lost` are those that had been acknowledged for `SAFE_AFTER_MS` when the master was killed, `late` the younger ones.
   */
  async verify(killedAt: number): Promise<Losses> {
    await this.stop()
    // A flush that meets a reconnection says so; what waits is sent again, and asking again waits for that.
    await again(() => Promise.all(this.busbars.map((busbar) => busbar.flush())))
    let [lost, late, doubled] = [0, 0, 0]
    // What waited through the failover comes in pauses; what the dead master alone had is missing for ever.
    await holdsWithin(async () => (await this.#recorded()) >= this.returned, 6_000)
    const recorded = await this.#recorded()
    for (const id of IDS) {
      const provider = this.last.get(id)
      if (provider === undefined) throw new Error(`${id} is not registered here`)
      const events = await again(() => provider.events({ count: 1_000 }))
      const generations = events
        .filter(({ kind }) => kind === 'opened' || kind === 'reset')
        .map(({ generation }) => generation)
      expect(generations, id).toEqual(generations.toSorted((a, b) => a - b))
      for (const { generation, at } of this.acknowledged.filter((one) => one.id === id)) {
        const times = generations.filter((one) => one === generation).length
        if (times === 0 && at <= killedAt - SAFE_AFTER_MS) lost += 1
        if (times === 0 && at > killedAt - SAFE_AFTER_MS) late += 1
        if (times > 1) doubled += 1
      }
    }
    return { lost, late, doubled, recorded }
  }
}

/** Each Sentinel that learns of the new master tells it, and each word of that costs one more reconnection. */
async function again<T>(read: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + 5_000
  for (;;) {
    try {
      return await read()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

test('a Sentinel failover in mid-traffic', async ({ onTestFinished }) => {
  const trio = await startSentinels()
  onTestFinished(() => trio.stop())
  const traffic = await Traffic.start(trio.url, onTestFinished, 'cached')
  await traffic.transitions(BEFORE_KILL_MS)
  traffic.heard.length = 0
  const before = traffic.returned
  const killedAt = performance.now()
  process.kill(trio.master.pid, 'SIGKILL')
  await eventually(
    async () => (await trio.masterPort()) === trio.replica.port,
    'the Sentinels name the replica',
  )
  const namedMs = Math.round(performance.now() - killedAt)
  await traffic.untilWhole('p5')
  const backMs = Math.round(performance.now() - killedAt)
  const { lost, late, doubled, recorded } = await traffic.verify(killedAt)
  const { returned, refused, strange, acknowledged } = traffic
  figure(
    10,
    `Sentinel: new master named after ${namedMs} ms, transitions acknowledged and heard ${backMs} ms after the ` +
      `kill; of ${acknowledged.length} acknowledged transitions ${lost} lost and ${late} of the last second, ${doubled} doubled; ` +
      `${returned} calls (${returned - before} since the kill), ${refused} refused, ${recorded} outcomes recorded, ${traffic.outcomesLost} given up`,
  )
  expect(strange).toEqual([])
  expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 })
  expect(recorded).toBeLessThanOrEqual(returned)
  expect(returned).toBeGreaterThan(before)
  expect(acknowledged.length).toBeGreaterThan(10)
  expect(backMs).toBeLessThan(20_000)
})

test('a slot moved, and then a Cluster failover, in mid-traffic', async ({ onTestFinished }) => {
  const cluster = await startCluster()
  onTestFinished(() => cluster.stop())
  const traffic = await Traffic.start(cluster.url, onTestFinished, 'strict')

  // The slot of a provider that every process calls all the time, there and back.
  const slot = slotOf('p0')
  const home = await cluster.ownerOf(slot)
  const other = cluster.masters.find(({ id }) => id !== home.id)
  if (other === undefined) throw new Error('there is one master only')
  const calledBefore = traffic.returned
  for (const to of [other, home, other, home]) await cluster.moveSlot(slot, to)
  await eventually(() => traffic.returned > calledBefore + 50, 'calls went on')
  const moved = { returned: traffic.returned - calledBefore, refused: traffic.refused }

  // The master of a provider whose transitions are acknowledged up to that moment dies.
  const victim = await cluster.ownerOf(slotOf('p5'))
  await traffic.transitions(BEFORE_KILL_MS)
  traffic.heard.length = 0
  const before = traffic.returned
  const killedAt = performance.now()
  process.kill(victim.server.pid, 'SIGKILL')
  await traffic.untilWhole('p5')
  const backMs = Math.round(performance.now() - killedAt)
  const { lost, late, doubled, recorded } = await traffic.verify(killedAt)
  const { returned, refused, strange, acknowledged } = traffic
  figure(
    10,
    `Cluster: a slot moved 4 times during ${moved.returned} calls, ${moved.refused} refused; master killed: ` +
      `transitions acknowledged and heard again after ${backMs} ms; of ${acknowledged.length} acknowledged transitions ` +
      `${lost} lost and ${late} of the last second, ${doubled} doubled; ${returned} calls (${returned - before} since the kill), ` +
      `${refused} refused, ${recorded} outcomes recorded, ${traffic.outcomesLost} given up`,
  )
  expect(strange).toEqual([])
  expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 })
  expect(recorded).toBeLessThanOrEqual(returned)
  expect(returned).toBeGreaterThan(before)
  expect(acknowledged.length).toBeGreaterThan(10)
  expect(backMs).toBeLessThan(20_000)
})
