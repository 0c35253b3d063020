import { expect, it, onTestFinished } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { freePort } from '../../src/embedded/port.js'
import { connect, type ConnectOptions, type Group } from '../../src/index.js'
import { eventually } from '../harness/eventually.mjs'
import { testFleet } from '../harness/fleet.js'

const down = (id: string) => Promise.reject(Object.assign(new Error(`${id} is down`), { status: 503 }))
const ids = (group: Group) => group.order().map(({ id, admissible }) => [id, admissible])

/** A function for a group, whose calls of the members in `dead` fail; `called` has those that it reached. */
function caller() {
  const dead = new Set<string>()
  const called: string[] = []
  const call = ({ id }: { readonly id: string }) => {
    called.push(id)
    return dead.has(id) ? down(id) : Promise.resolve(id)
  }
  return { dead, called, call }
}

it('a group goes on while Redis is down, by the circuits of its own process; with deny it refuses', async () => {
  const port = await freePort()
  const first = await startRedis({ port })
  onTestFinished(() => first.stop())
  const join = async (onRedisDown: ConnectOptions['onRedisDown']) => {
    const busbar = await connect({ redis: `redis://127.0.0.1:${port}`, logger: false, onRedisDown })
    onTestFinished(() => busbar.close({ timeoutMs: 1_000 }))
    const breaker = { failureThreshold: 2, cooldownMs: 60_000 }
    await busbar.provider('a', { group: 'llm', breaker })
    await busbar.provider('b', { group: 'llm', breaker, priority: 1 })
    return { busbar, group: busbar.group('llm', { minAvailable: 1 }) }
  }
  const [local, deny] = [await join('local'), await join('deny')]
  for (const { group } of [local, deny]) expect([...(await group.members())].sort()).toEqual(['a', 'b'])
  const away = (is: boolean) =>
    eventually(() => [local, deny].every(({ busbar }) => (busbar.degradedSince !== undefined) === is), {
      what: is ? 'both know that Redis is down' : 'both are back',
      timeoutMs: 60_000,
    })
  await first.stop()
  await away(true)

  const { dead, called, call } = caller()
  expect(await local.group.execute(call)).toBe('a')
  dead.add('a')
  for (let i = 0; i < 3; i += 1) expect(await local.group.execute(call)).toBe('b')
  // Its own circuit is open after two failures: the third call does not reach it.
  expect(called).toEqual(['a', 'a', 'b', 'a', 'b', 'b'])
  expect(ids(local.group)).toEqual([
    ['b', true],
    ['a', false],
  ])
  expect([...(await local.group.members())].sort()).toEqual(['a', 'b'])
  // The last resort is for a circuit that refuses, and not for what the user asked for by deny.
  await expect(deny.group.execute(call)).rejects.toMatchObject({
    code: 'group_exhausted',
    attempts: [
      { id: 'a', code: 'redis_down' },
      { id: 'b', code: 'redis_down' },
    ],
  })
  expect(deny.group.health).toBe('exhausted')
  expect(called).toHaveLength(6)

  // Without its data: the processes register again what they have.
  const second = await startRedis({ port })
  onTestFinished(() => second.stop())
  await away(false)
  dead.clear()
  for (const { group } of [local, deny])
    await eventually(async () => {
      expect([...(await group.members())].sort()).toEqual(['a', 'b'])
      expect(await group.execute(call)).toMatch(/^[ab]$/)
    })
})

it('a process that doubts itself goes to the next member, refuses where it doubts itself of all, and leaves the others alone', async () => {
  const fleet = await testFleet()
  const settings = { group: 'llm', breaker: { failureThreshold: 10, cooldownMs: 10_000, quorum: 2 } }
  const join = async (failureDomain: string) => {
    const busbar = await fleet.connect({ failureDomain, workerId: failureDomain })
    await busbar.provider('a', settings)
    await busbar.provider('b', { ...settings, priority: 1 })
    const group = busbar.group('llm')
    expect(await group.members()).toHaveLength(2)
    return { busbar, group }
  }
  const [mine, other] = [await join('node-1'), await join('node-2')]
  const [well, bad] = [caller(), caller()]
  const succeedElsewhere = async () => {
    for (const id of ['a', 'b']) await other.busbar.get(id)?.execute(() => id)
    await other.busbar.flush()
  }
  await succeedElsewhere()
  bad.dead.add('a')
  // So many failures in a row are a doubt, however quickly they came.
  for (let i = 0; i < 20; i += 1) expect(await mine.group.execute(bad.call)).toBe('b')
  expect(bad.called.filter((id) => id === 'a')).toHaveLength(20)
  bad.called.length = 0
  expect(await mine.group.execute(bad.call)).toBe('b')
  expect(bad.called).toEqual(['b'])
  expect(mine.group.order()).toMatchObject([
    { id: 'b', admissible: true },
    { id: 'a', admissible: false, reason: expect.stringContaining('calls of this process fail') as unknown },
  ])
  await mine.busbar.flush()
  const a = mine.busbar.get('a')
  expect(await a?.state()).toBe('closed')
  // So it is for loops that wait, and for workers that are held.
  await expect(a?.ready({ signal: AbortSignal.timeout(20) })).rejects.toMatchObject({ name: 'TimeoutError' })
  expect(await other.group.execute(well.call)).toBe('a')

  bad.dead.add('b')
  for (let i = 0; i < 20; i += 1)
    await expect(mine.group.execute(bad.call)).rejects.toMatchObject({ code: 'group_exhausted' })
  const exhausted: unknown = await mine.group.execute(bad.call).catch((error: unknown) => error)
  expect(exhausted).toMatchObject({
    code: 'group_exhausted',
    attempts: [
      { id: 'a', code: 'worker_suspected' },
      { id: 'b', code: 'worker_suspected' },
    ],
  })
  // The first pause is a second, and drawn.
  const { retryAfterMs } = exhausted as { readonly retryAfterMs: number }
  expect(retryAfterMs).toBeGreaterThan(0)
  expect(retryAfterMs).toBeLessThanOrEqual(2_000)

  // It is well again, and the try of a call of the group shows it.
  bad.dead.clear()
  await succeedElsewhere()
  await fleet.clock.advance(2_000)
  await a?.ready()
  await eventually(async () => expect(await mine.group.execute(bad.call)).toBe('a'))
  expect(ids(mine.group)[0]).toEqual(['a', true])
})
