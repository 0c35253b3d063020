import { describe, expect, it } from 'vitest'
import type { Busbar, Group, GroupMember, SettingsInput } from '../../../src/index.js'
import { eventually } from '../../harness/eventually.mjs'
import { QUICK, rejection, type OpenApi } from './test-busbar.js'

const member = (settings: SettingsInput = {}): SettingsInput => ({ ...QUICK, group: 'llm', ...settings })

/** `a` comes before `b`. */
async function pair(busbar: Busbar, settings: SettingsInput = {}): Promise<void> {
  await busbar.provider('a', member(settings))
  await busbar.provider('b', member({ priority: 1, ...settings }))
}

const failing = (status: number, headers: Record<string, string> = {}) =>
  Object.assign(new Error(`HTTP ${status}`), { status, headers })

const ids = (members: readonly GroupMember[]): string[] => members.map(({ id }) => id)

/** Calls that answer with the id of the provider, but for those in `dead`, which throw. */
const answering =
  (dead: Readonly<Record<string, unknown>> = {}) =>
  ({ id }: { readonly id: string }): string => {
    if (id in dead) throw dead[id]
    return id
  }

async function settled(group: Group, expected: readonly string[]): Promise<void> {
  await eventually(() => expect(ids(group.order()).sort()).toEqual([...expected].sort()))
}

/** Several providers of which any can take a call. */
export function groupsContract(open: OpenApi): void {
  describe('the members of a group', () => {
    it('are the providers whose settings name it, and follow registrations, changes and removals', async () => {
      const { busbar } = await open()
      const group = busbar.group('llm')
      expect(group.order()).toEqual([])
      await pair(busbar)
      await busbar.provider('c', { group: 'other' })
      await settled(group, ['a', 'b'])
      expect([...(await group.members())].sort()).toEqual(['a', 'b'])
      await busbar.provider('c', member())
      await settled(group, ['a', 'b', 'c'])
      await busbar.provider('a', QUICK)
      await settled(group, ['b', 'c'])
      await busbar.remove('b')
      await settled(group, ['c'])
      expect(await busbar.group('other').members()).toEqual([])
    })

    it('are those with the ids that a list names, once they are registered', async () => {
      const { busbar } = await open()
      const group = busbar.group(['b', 'a'])
      expect(await group.members()).toEqual([])
      await busbar.provider('a')
      await settled(group, ['a'])
      await busbar.provider('b')
      await settled(group, ['a', 'b'])
      expect(group.name).toBe('b, a')
    })

    it.each([
      [['llm', { minAvailable: -1 }], /group\.minAvailable: expected a whole number from 0 to 1000, got -1/],
      [['llm', { atLeast: 1 }], /group\.atLeast/],
      [['l l m'], /group: expected 1 to 128 characters .*got "l l m"/],
      [[[]], /group: expected a name, or a list of 1 to 1000 ids, got \[\]/],
      [[7], /group: expected a name, or a list of 1 to 1000 ids, got 7/],
      [[['a', 'a']], /group\.1: expected each id once, got "a"/],
    ] as [never[], RegExp][])('are not asked for by %j', async (args, message) => {
      const { busbar } = await open()
      expect(() => busbar.group(...(args as unknown as Parameters<Busbar['group']>))).toThrow(message)
    })

    it.each([
      [{ group: 'l l m' }, /group: expected 1 to 128 characters/],
      [{ group: 'llm', priority: 101 }, /priority: expected a whole number from 0 to 100, got 101/],
      [{ group: 'llm', weight: 1_001 }, /weight: expected a number from 0 to 1000, got 1001/],
    ])('have no settings such as %j', async (settings, message) => {
      const { busbar } = await open()
      expect(String(await rejection(busbar.provider('a', settings)))).toMatch(message)
    })
  })

  describe('the order of a group', () => {
    it('has the lowest priority first, weight 0 after it, and those that refuse last', async () => {
      const { busbar, advance } = await open()
      await pair(busbar)
      const c = await busbar.provider('c', member())
      await busbar.provider('spare', member({ weight: 0 }))
      await c.recordFailure()
      await advance(400)
      const group = busbar.group('llm')
      await group.members()
      await eventually(() => expect(ids(group.order())).toEqual(['a', 'b', 'spare', 'c']))
      expect(group.order()).toMatchObject([
        { admissible: true, health: 'healthy', lastResort: false, reason: '', retryAfterMs: 0 },
        {},
        { id: 'spare', admissible: true, lastResort: false },
        {
          admissible: false,
          health: 'unhealthy',
          lastResort: false,
          reason: 'circuit open: 1 consecutive failures, last: unhealthy',
        },
      ])
      expect(group.order().at(-1)?.retryAfterMs).toBeLessThanOrEqual(1_000)
      expect(group.health).toBe('degraded')
    })

    it('gives one key one member, and moves only the keys of a member that refuses', async () => {
      const { busbar } = await open()
      for (const id of ['a', 'b', 'c']) await busbar.provider(id, member())
      const group = busbar.group('llm')
      await settled(group, ['a', 'b', 'c'])
      const keys = Array.from({ length: 60 }, (_, i) => `tenant-${i}`)
      const first = () => new Map(keys.map((key) => [key, group.order({ key })[0]?.id]))
      const before = first()
      expect(first()).toEqual(before)
      expect(new Set(before.values())).toEqual(new Set(['a', 'b', 'c']))
      for (const [key, id] of before)
        expect(await group.execute(({ id: called }) => called, { key })).toBe(id)
      await busbar.get('b')?.markUnhealthy()
      await eventually(() => expect(ids(group.order()).at(-1)).toBe('b'))
      const after = first()
      const moved = keys.filter((key) => after.get(key) !== before.get(key))
      expect(moved).toEqual(keys.filter((key) => before.get(key) === 'b'))
    })

    it('keeps the last members admissible, and says so; a mark by hand still refuses', async () => {
      const { busbar } = await open()
      await pair(busbar)
      const group = busbar.group('llm', { minAvailable: 1 })
      await settled(group, ['a', 'b'])
      await busbar.get('a')?.trip()
      await eventually(() => expect(ids(group.order())).toEqual(['b', 'a']))
      expect(group.order().map(({ lastResort }) => lastResort)).toEqual([false, false])
      await busbar.get('b')?.trip()
      await eventually(() =>
        expect(group.order()).toMatchObject([
          { id: 'a', admissible: true, lastResort: true, retryAfterMs: null },
          { id: 'b', admissible: false, lastResort: false },
        ]),
      )
      await busbar.get('a')?.markUnhealthy()
      await eventually(() =>
        expect(group.order()).toMatchObject([{ id: 'b', lastResort: true }, { admissible: false }]),
      )
      await busbar.get('b')?.markTerminated()
      await eventually(() => expect(group.order().some(({ admissible }) => admissible)).toBe(false))
    })
  })

  admissionContract(open)
  executionContract(open)
}

function admissionContract(open: OpenApi): void {
  describe('the admission of a group', () => {
    it('is a decision with an id, leaves out those named, and says why none is left', async () => {
      const { busbar } = await open()
      await pair(busbar)
      const group = busbar.group('llm')
      const decision = await group.admit()
      if (!decision.admitted || decision.lastResort) throw new Error('it was refused')
      expect(decision).toMatchObject({ id: 'a', lastResort: false })
      await decision.permit.settle('unhealthy')
      expect(await busbar.get('a')?.state()).toBe('open')
      await eventually(() => expect(ids(group.order())[0]).toBe('b'))
      expect(await group.admit()).toMatchObject({ admitted: true, id: 'b' })
      expect(await group.admit({ exclude: ['b'] })).toMatchObject({
        admitted: false,
        code: 'group_exhausted',
        attempts: [{ id: 'a', code: 'circuit_open' }],
      })
      expect(await group.admit({ exclude: ['a', 'b'] })).toMatchObject({ admitted: false, attempts: [] })
      expect(await rejection(group.admit({ exclude: 'a' }))).toMatchObject({ path: 'exclude' })
      expect(await rejection(group.admit({ key: 7 } as object))).toMatchObject({ path: 'key' })
    })

    it('of a last resort has no permit: its outcome is recorded', async () => {
      const { busbar } = await open()
      await pair(busbar)
      for (const id of ['a', 'b']) await busbar.get(id)?.trip()
      const group = busbar.group('llm', { minAvailable: 1 })
      await eventually(() => expect(group.order()[0]?.lastResort).toBe(true))
      const decision = await group.admit()
      expect(decision).toEqual({
        admitted: true,
        id: 'a',
        lastResort: true,
        source: 'cache',
        wouldRefuse: 'circuit_open',
      })
      await busbar.get('a')?.record('healthy')
      expect(await busbar.get('a')?.snapshot()).toMatchObject({ state: 'open', historyHealthy: 1 })
    })
  })
}

function executionContract(open: OpenApi): void {
  describe('a call of a group', () => {
    it('is given id, signal and attempt, and answers with what the first member answers', async () => {
      const { busbar } = await open()
      await pair(busbar)
      const group = busbar.group('llm')
      const seen: unknown[] = []
      const call = ({ id, attempt, signal }: { id: string; attempt: number; signal: AbortSignal }) => {
        seen.push([id, attempt, signal.aborted])
        if (id === 'a') throw failing(503)
        return id
      }
      expect(await group.execute(call)).toBe('b')
      expect(seen).toEqual([
        ['a', 1, false],
        ['b', 2, false],
      ])
      await busbar.flush()
      expect(await busbar.get('b')?.snapshot()).toMatchObject({ historyHealthy: 1 })
      expect(await busbar.get('a')?.state()).toBe('open')
      // The second call does not reach it.
      expect(await group.execute(call, { timeoutMs: 5_000 })).toBe('b')
      expect(seen.at(-1)).toEqual(['b', 1, false])
    })

    it.each([
      ['an error', () => Promise.reject(failing(503))],
      ['a pause that it asks for', () => Promise.reject(failing(429, { 'retry-after': '2' }))],
      ['a response of 503', () => Promise.resolve({ status: 503, headers: {}, body: null })],
      ['a response of 429', () => Promise.resolve(new Response('later', { status: 429 }))],
    ])('goes to the next member after %s', async (_, fail) => {
      const { busbar } = await open()
      await pair(busbar)
      const group = busbar.group('llm')
      await settled(group, ['a', 'b'])
      const call = ({ id }: { id: string }): unknown => (id === 'a' ? fail() : id)
      expect(await group.execute(call)).toBe('b')
      await busbar.get('a')?.reset()
      expect(await group.execute(call, { key: 'x', timeoutMs: 5_000 })).toBe('b')
    })

    it('goes to the next member after its time limit, which each attempt has for itself', async () => {
      const { busbar, spend } = await open()
      await pair(busbar)
      const group = busbar.group('llm')
      await settled(group, ['a', 'b'])
      const call = ({ id }: { id: string }) => (id === 'a' ? new Promise<string>(() => undefined) : id)
      const called = group.execute(call, { timeoutMs: 50 })
      await spend(50)
      await spend(50)
      expect(await called).toBe('b')
    })

    it.each([
      ['a client error', failing(400)],
      ['a bug of the program', new TypeError('x is not a function')],
    ])('gives %s to its caller, and tries no other member', async (_, error) => {
      const { busbar } = await open()
      await pair(busbar)
      const group = busbar.group('llm')
      const called: string[] = []
      const call = ({ id }: { id: string }) => {
        called.push(id)
        throw error
      }
      expect(await rejection(group.execute(call))).toBe(error)
      expect(await rejection(group.execute(call, { maxAttempts: 5 }))).toBe(error)
      expect(called).toEqual(['a', 'a'])
    })

    it('ends when its caller aborts, within an attempt and between two', async () => {
      const { busbar } = await open()
      await pair(busbar)
      const group = busbar.group('llm')
      await settled(group, ['a', 'b'])
      for (const within of [true, false]) {
        const controller = new AbortController()
        const called: string[] = []
        const call = ({ id }: { id: string }) => {
          called.push(id)
          controller.abort(new Error('enough'))
          return within ? new Promise<string>(() => undefined) : Promise.reject(failing(503))
        }
        const error = await rejection(group.execute(call, { signal: controller.signal }))
        expect(error).toMatchObject({ message: 'enough' })
        expect(called).toEqual(['a'])
        expect(await rejection(group.execute(call, { signal: controller.signal }))).toBe(error)
      }
    })

    it('of a single member ends with the reason of its caller, whatever failoverOn says', async () => {
      const { busbar } = await open()
      await busbar.provider('a', member())
      const group = busbar.group('llm')
      await settled(group, ['a'])
      const controller = new AbortController()
      const call = () => {
        controller.abort('enough')
        return new Promise<string>(() => undefined)
      }
      const options = { signal: controller.signal, failoverOn: () => true }
      expect(await rejection(group.execute(call, options))).toBe('enough')
    })

    it('ends with the reason of every member', async () => {
      const { busbar } = await open()
      await pair(busbar)
      await busbar.provider('c', member({ priority: 2 }))
      const group = busbar.group('llm')
      await busbar.get('c')?.markUnhealthy()
      await eventually(() => expect(ids(group.order())).toEqual(['a', 'b', 'c']))
      const dead = { a: failing(503), b: failing(429, { 'retry-after': '2' }) }
      const error = await rejection(group.execute(answering(dead)))
      expect(error).toMatchObject({
        code: 'group_exhausted',
        group: 'llm',
        message: 'no member of group llm is left: a (HTTP 503), b (HTTP 429), c (marked_unhealthy)',
        attempts: [
          { id: 'a', error: dead.a },
          { id: 'b', error: dead.b },
          { id: 'c', code: 'marked_unhealthy' },
        ],
      })
      // `a` opened for 1 s, `b` asked for 2 s.
      expect(Reflect.get(error as object, 'retryAfterMs')).toBeGreaterThan(0)
      expect(Reflect.get(error as object, 'retryAfterMs')).toBeLessThanOrEqual(1_000)
      expect(group.health).toBe('exhausted')
      const next = await rejection(group.execute(answering(dead)))
      expect(next).toMatchObject({ attempts: [{ code: 'circuit_open' }, { code: 'throttled' }, {}] })
    })

    it('of an unknown group ends at once, without an attempt', async () => {
      const { busbar } = await open()
      const group = busbar.group('nobody')
      expect(await rejection(group.execute(answering()))).toMatchObject({
        code: 'group_exhausted',
        message: 'no member of group nobody is left: it has no members',
        attempts: [],
        retryAfterMs: null,
      })
      expect(await group.admit()).toMatchObject({ admitted: false, attempts: [], retryAfterMs: null })
      expect(group.health).toBe('exhausted')
    })

    it('survives the removal of the member that it calls, and of all', async () => {
      const { busbar } = await open()
      await pair(busbar)
      const group = busbar.group('llm')
      await settled(group, ['a', 'b'])
      const call = async ({ id }: { id: string }) => {
        await busbar.remove(id)
        if (id === 'a') throw failing(503)
        return id
      }
      expect(await group.execute(call)).toBe('b')
      await settled(group, [])
      expect(await rejection(group.execute(call))).toMatchObject({ code: 'group_exhausted', attempts: [] })
    })

    it('makes no more calls than maxAttempts; a refusal is none', async () => {
      const { busbar } = await open()
      await pair(busbar)
      await busbar.provider('c', member({ priority: 2 }))
      const group = busbar.group('llm')
      await busbar.get('a')?.trip()
      await eventually(() => expect(ids(group.order())).toEqual(['b', 'c', 'a']))
      const dead = { b: failing(503) }
      expect(await rejection(group.execute(answering(dead), { maxAttempts: 1 }))).toMatchObject({
        attempts: [
          { id: 'b', error: dead.b },
          { id: 'a', code: 'circuit_open' },
        ],
      })
      expect(await group.execute(answering(dead), { maxAttempts: 2 })).toBe('c')
    })

    it('goes on after what failoverOn says', async () => {
      const { busbar } = await open()
      await pair(busbar)
      const group = busbar.group('llm')
      await settled(group, ['a', 'b'])
      const wrong = answering({ a: failing(400) })
      expect(await group.execute(wrong, { failoverOn: ['client_error'] })).toBe('b')
      const told: unknown[] = []
      const failoverOn = (error: unknown, context: object) => {
        told.push([error, context])
        return true
      }
      expect(await group.execute(wrong, { failoverOn })).toBe('b')
      expect(told).toEqual([
        [expect.objectContaining({ status: 400 }), { id: 'a', outcome: 'client_error', attempt: 1 }],
      ])
      const dead = answering({ a: failing(503) })
      expect(await rejection(group.execute(dead, { failoverOn: [] }))).toMatchObject({ status: 503 })
      // Its circuit is open now: a refusal goes on by default, and not where the list leaves it out.
      await eventually(() => expect(ids(group.order())).toEqual(['b', 'a']))
      expect(await group.execute(dead, { failoverOn: () => undefined })).toBe('b')
    })

    it.each([
      [{ maxAttempts: 0 }, 'maxAttempts'],
      [{ maxAttempts: 1.5 }, 'maxAttempts'],
      [{ timeoutMs: 0 }, 'timeoutMs'],
      [{ key: 5 }, 'key'],
      [{ failoverOn: 'timeout' }, 'failoverOn'],
      [{ failoverOn: ['timeout', 'tiemout'] }, 'failoverOn.1'],
      [{ fallback: () => 1 }, 'fallback'],
    ])('refuses %j by its path', async (options, path) => {
      const { busbar } = await open()
      const group = busbar.group('llm')
      const error = await rejection(group.execute(answering(), options as object))
      expect(error).toMatchObject({ code: 'argument_invalid', path })
      expect(await rejection(group.execute('fn' as never))).toMatchObject({ path: 'fn' })
    })

    it('of a last resort is made without a permit, and recorded', async () => {
      const { busbar } = await open()
      await pair(busbar)
      for (const id of ['a', 'b']) await busbar.get(id)?.trip()
      const group = busbar.group('llm', { minAvailable: 1 })
      await eventually(() => expect(group.order()[0]?.lastResort).toBe(true))
      expect(await group.execute(({ id, trial }) => [id, trial])).toEqual(['a', false])
      await busbar.flush()
      expect(await busbar.get('a')?.snapshot()).toMatchObject({ state: 'open', historyHealthy: 1 })
      const dead = { a: failing(503) }
      expect(await rejection(group.execute(answering(dead)))).toMatchObject({
        attempts: [
          { id: 'a', error: dead.a },
          { id: 'b', code: 'circuit_open' },
        ],
      })
    })

    it('gives a member that recovers its trial, and calls it again', async () => {
      const { busbar, advance } = await open()
      await pair(busbar)
      const group = busbar.group('llm')
      await settled(group, ['a', 'b'])
      expect(await group.execute(answering({ a: failing(503) }))).toBe('b')
      await advance(1_000)
      const trials: boolean[] = []
      const call = ({ id, trial }: { id: string; trial: boolean }) => {
        trials.push(trial)
        return id
      }
      await eventually(async () => expect(await group.execute(call)).toBe('a'))
      expect(trials.at(-1)).toBe(true)
      await busbar.flush()
      await eventually(async () => {
        expect(await group.execute(call)).toBe('a')
        expect(trials.at(-1)).toBe(false)
      })
    })
  })
}
