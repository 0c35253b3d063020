import { expect, test } from 'vitest'
import { eventually } from '../harness/eventually.mjs'
import { realFleet } from '../harness/real-fleet.js'
import { figure } from '../harness/figure.js'

/** What people, programs and probed servers write; `kept`: what of it stands in Redis as the reason of the opening. */
const TEXTS: readonly (readonly [what: string, text: string])[] = [
  ['half a pair at the end', 'stream cut: \ud83d'],
  ['half a pair at the beginning', '\ude00 stream cut'],
  ['a pair that a limit cuts', `${'x'.repeat(199)}😀`],
  ['only pairs', '😀'.repeat(150)],
  ['accents of their own', 'e\u0301'.repeat(150)],
  ['NUL', 'a\u0000b'],
  ['marks of direction', '\u202eevil\u2066'],
  ['quotes, backslashes and line separators', '"\\u d83d\\"\u2028</script>'],
  ['what looks like an escape', '\\ud83d'],
  ['a megabyte', '支付服务不可用'.repeat(150_000)],
]

test('text of any kind is recorded, cut at a character, and nothing behind it waits', async () => {
  const { join, redis, namespace } = realFleet()
  const [one, other] = [await join(), await join()]
  let longestMs = 0
  for (const [index, [what, text]] of TEXTS.entries()) {
    const id = `text-${index}`
    const classify = (_: unknown, error: unknown) =>
      error === text ? { outcome: 'unhealthy' as const, detail: text } : undefined
    const mine = await one.provider(id, { breaker: { failureThreshold: 3 } }, { classify })
    const theirs = await other.provider(id)
    const began = performance.now()
    for (let call = 0; call < 2; call += 1) {
      await expect(mine.execute(() => Promise.reject(new Error('down')))).rejects.toThrow('down')
    }
    // The last failure bears the text, and trips.
    const failing = mine.execute(() => throwing(text))
    expect(await failing.catch((error: unknown) => error)).toBe(text)
    await eventually(() => theirs.peek()?.state === 'open', `${what}: the others refuse`)
    longestMs = Math.max(longestMs, performance.now() - began)
    const reason = theirs.peek()?.reason ?? ''
    expect(reason.isWellFormed(), what).toBe(true)
    const kept = await redis.hmget(`${namespace}:{${id}}:circuit`, 'reason', 'last_failure')
    expect(kept.join(', last: '), what).toBe(reason)
    expect((await theirs.events()).at(-1), what).toMatchObject({ kind: 'opened', reason })
    await mine.reset()
    await operatorWrites(mine, text)
  }
  expect([one.counters.outcomesLost, other.counters.connectionErrors]).toEqual([0, 0])
  figure(
    18,
    `${TEXTS.length} kinds of text, none lost, none broken; opened within ${longestMs.toFixed(0)} ms at most`,
  )
})

/** An operator's own words: whole, or refused for their length, and never half a character in Redis. */
async function operatorWrites(
  provider: Awaited<ReturnType<Awaited<ReturnType<ReturnType<typeof realFleet>['join']>>['provider']>>,
  text: string,
): Promise<void> {
  const asked = provider.trip({ reason: text, actor: text.slice(0, 100) })
  if (text.length > 500) {
    await expect(asked).rejects.toMatchObject({ code: 'argument_invalid', path: 'trip.reason' })
    return
  }
  await asked
  const [event] = await provider.events({ count: 1 })
  expect(event).toMatchObject({ kind: 'opened', reason: text.toWellFormed() })
  expect(event?.actor.isWellFormed()).toBe(true)
}

/** A promise that rejects with no error at all, which programs do. */
async function throwing(value: unknown): Promise<never> {
  await Promise.resolve()
  throw value
}

test('a batch that Redis refuses for good is given up at once, and what is behind it goes on', async () => {
  const { join, redis, namespace } = realFleet()
  const busbar = await join()
  const provider = await busbar.provider('openai', { breaker: { failureThreshold: 3 } })
  const batches = `${namespace}:{openai}:batches`
  await redis.del(batches)
  await redis.set(batches, 'somebody wrote a text here')
  const began = performance.now()
  await provider.recordFailure().catch(() => undefined)
  await eventually(() => busbar.counters.outcomesLost === 1, 'the batch is given up')
  await redis.del(batches)
  // Until this process knows that it is mended, it decides about the provider alone, and counts what it cannot write.
  await eventually(async () => {
    await provider.recordSuccess()
    await provider.flush()
    return (await provider.historySize()) > 0
  }, 'what is behind it is applied')
  // The batch that was refused is sent again no more: it would be, for 60 s.
  expect(performance.now() - began).toBeLessThan(30_000)
  expect((await provider.history()).map(({ status }) => status)).toEqual(['healthy'])
  figure(18, 'a batch that Redis refused for good: given up at once, what was behind it applied')
})
