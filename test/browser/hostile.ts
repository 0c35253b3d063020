import type { Redis } from 'ioredis'
import type { Busbar } from '../../src/index.js'

/** Would be elements, attributes or scripts, if it were anything but text. */
export const MARKUP = `<img src=x onerror="alert(1)"><script>alert(2)</script>'"><b onclick=alert(3)>{{7*7}}</b>`
/** Turns what comes after it, and is no more than that in its own place. */
export const TURNED = 'deployed \u202Egpj.exe'
const LONG = `${MARKUP} ${TURNED} ${'x'.repeat(10_000)}`

/** As far as ids allow: words of JavaScript, addresses, paths, and 128 letters without a gap. */
export const HOSTILE_IDS: readonly string[] = [
  'hostile',
  '__proto__',
  'constructor',
  'javascript:alert(1)'.replace(/[()]/g, '.'),
  '../../api/config',
  '//evil.example/x',
  'W'.repeat(128),
]

/** What Busbar writes under no id: another program did. Nothing from Redis is trusted when it is shown. */
const STRANGE_IDS: readonly string[] = [MARKUP, `a'b"c`, TURNED]

/** Providers with every text that a person or a program may give, and with what only a write to Redis itself can. */
export async function makeHostile(busbar: Busbar, redis: Redis): Promise<readonly string[]> {
  for (const id of HOSTILE_IDS) {
    const provider = await busbar.provider(id, { breaker: { failureThreshold: 1 }, group: id })
    await provider.markDegraded({ reason: MARKUP, actor: TURNED })
    await provider.record('unhealthy', { detail: MARKUP })
    await provider.trip({ reason: MARKUP, actor: MARKUP })
  }
  const [first = ''] = HOSTILE_IDS
  const keyOf = (id: string, part: string) => `many:{${id}}:${part}`
  await redis.hset(keyOf(first, 'circuit'), { reason: LONG, last_failure: LONG, outage_reason: LONG })
  const [[, fields] = ['', []]] = await redis.xrevrange(keyOf(first, 'events'), '+', '-', 'COUNT', 1)
  const texts = ['reason', 'actor', 'detail', 'last']
  await redis.xadd(
    keyOf(first, 'events'),
    '*',
    ...fields.map((value, at) => (at % 2 === 1 && texts.includes(fields[at - 1] ?? '') ? LONG : value)),
  )
  for (const id of STRANGE_IDS) {
    for (const part of ['config', 'circuit', 'events'])
      await redis.copy(keyOf('constructor', part), keyOf(id, part))
    await redis.zadd('many:providers', Date.now(), id)
  }
  return HOSTILE_IDS
}
