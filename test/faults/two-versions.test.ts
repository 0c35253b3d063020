import { expect, test } from 'vitest'
import type { HistoryEntry, ProbeReport, ProviderEvent, Settings, Snapshot } from '../../src/index.js'
import { eventually } from '../harness/eventually.mjs'
import { figure } from '../harness/figure.js'
import { byForm } from '../harness/form.js'
import { buildVersion, THIS_VERSION, type Edit } from '../harness/other-version.js'
import { realFleet } from '../harness/real-fleet.js'
import { worker } from './workers.js'

/** What `version.mjs` does when asked. */
interface VersionActions {
  /** Calls from now on: whether they fail; null: no more. */
  calls(failing: boolean | null): void
  record(outcome: string): void
  register(settings: object): void
  reset(): void
  peek(): Snapshot | undefined
  settings(): Settings
  problems(): readonly string[]
  history(): readonly HistoryEntry[]
  events(): readonly ProviderEvent[]
  probe(): ProbeReport
  flush(): void
  said(): readonly { readonly level: string; readonly message: string; readonly problem: string }[]
  seen(): { readonly made: number; readonly connectionErrors: number; readonly outcomesLost: number }
  join(namespace: string): void
}

/** What a next version may add without another schema: a field of the circuit, a setting, and a word of each kind. */
const NEWER: readonly Edit[] = [
  {
    file: 'src/model/circuit-fields.ts',
    before: "  last_now_ms: { type: 'number',",
    after:
      "  brownouts: { type: 'number', since: 2, meaning: 'brownouts so far' },\n  last_now_ms: { type: 'number',",
  },
  { file: 'lua/lib/fields.lua', before: "  'last_now_ms',", after: "  'brownouts',\n  'last_now_ms'," },
  {
    file: 'lua/lib/history.lua',
    before: "  if status == 'healthy' then",
    after: `  if status == 'brownout' then
    circuit.brownouts, touched.brownouts = (circuit.brownouts or 0) + count, true
  end
  if status == 'healthy' then`,
  },
  {
    file: 'src/model/recovery-fields.ts',
    before: '  enforce: {',
    after: `  brownoutLimit: {
    type: 'whole', min: 1, max: 10, default: 5, since: 2, meaning: 'brownouts that are too many' },
  enforce: {`,
  },
  {
    file: 'lua/lib/fields.lua',
    before: "  ['breaker.enforce']",
    after: "  ['breaker.brownoutLimit'] = '5',\n  ['breaker.enforce']",
  },
  // Of a setting that both know, it permits more.
  {
    file: 'src/model/setting-fields.ts',
    before: 'max: 7 * DAY,',
    after: 'max: 70 * DAY,',
  },
  {
    file: 'src/model/probe.ts',
    before: "  'heartbeat',\n]",
    after: "  'heartbeat',\n  'echo',\n]",
  },
  { file: 'lua/lib/config_fields.lua', before: "  ['tcp']", after: "  ['echo'] = true,\n  ['tcp']" },
  {
    file: 'src/config/probe/registered.ts',
    before: 'export const functionProbe',
    after: `export const echoProbe = v.pipe(
  fieldsOf({ ...COMMON, kind: v.literal('echo'), word: name() }),
  v.transform((probe) => complete(probe)),
  refuse((probe) => clashOfTimes(probe)),
)

export const functionProbe`,
  },
  {
    file: 'src/config/probe.ts',
    before: 'import { functionProbe,',
    after: 'import { echoProbe, functionProbe,',
  },
  {
    file: 'src/config/probe.ts',
    before: '  http: httpProbe,',
    after: '  echo: echoProbe,\n  http: httpProbe,',
  },
  {
    file: 'src/probes/kinds.ts',
    before: '  http: httpKind,',
    after: `  echo: {
    ...{ needs: () => '', unable: () => undefined, address: () => undefined, judgesSnapshot: false },
    run: (probe, subject, { workerId }) =>
      Promise.resolve({ kind: 'judged', status: 'healthy', detail: 'echo by ' + workerId, elapsedMs: 1 }),
  },
  http: httpKind,`,
  },
  {
    file: 'src/model/words.ts',
    before: "'timeout', 'terminated'] as const",
    after: "'timeout', 'terminated', 'brownout'] as const",
  },
  {
    file: 'src/model/words.ts',
    before: "outcome === 'healthy' || outcome === 'degraded'",
    after: "outcome === 'healthy' || outcome === 'degraded' || outcome === 'brownout'",
  },
  {
    file: 'lua/lib/outcomes.lua',
    before: "outcome == 'healthy' or",
    after: "outcome == 'healthy' or outcome == 'brownout' or",
  },
  { file: 'src/model/events.ts', before: "  'removed',", after: "  'rested',\n  'removed'," },
  {
    file: 'lua/reset.lua',
    before: "put(provider, 'throttled_until_ms', 0)",
    after:
      "put(provider, 'throttled_until_ms', 0)\nannounce(provider, 'rested', '', 'rest', 'it had a rest', actor)",
  },
]

/** What both versions are told. */
const BOTH = { breaker: { failureThreshold: 3, cooldownMs: 500, recovery: 'traffic' } }
const DAY = 86_400_000
const LONG = { windowMs: 8 * DAY }
const PROBED_EVERY_MS = 500
/** What only the newer one knows. */
const MORE = {
  breaker: { ...BOTH.breaker, brownoutLimit: 7 },
  history: LONG,
  probe: { kind: 'echo', word: 'hello', intervalMs: PROBED_EVERY_MS },
}
const NOT_READ = [
  `history.windowMs: expected a whole number from 1 to ${7 * DAY}, got ${8 * DAY}`,
  'probe: kind "echo" is not known to this version of Busbar',
]
/** A probe may be late where the machine stands still, and is so in one version as in two. */
const EXPECTED = /^(circuit (re-)?opened|probe overdue)$/
const ROUNDS = byForm({ short: 2, full: 60 })

test('two versions of Busbar share one Redis: each reads what the other wrote, and leaves what it does not know', async () => {
  const fleet = realFleet()
  const { redis, namespace } = fleet
  const [older, newer] = [THIS_VERSION, buildVersion(NEWER)]
  const start = (folder: string, settings: object) =>
    worker<VersionActions>('version', fleet, { settings, extra: { folder }, clockDouble: false })
  type One = Awaited<ReturnType<typeof start>>
  const keys = { config: `${namespace}:{openai}:config`, circuit: `${namespace}:{openai}:circuit` }

  // The newer one comes first with one process, and the older one last with another.
  const news = [await start(newer, MORE)]
  const olds = [await start(older, BOTH), await start(older, BOTH)]
  news.push(await start(newer, MORE))
  const all = [...olds, ...news]
  const config = await redis.hgetall(keys.config)
  expect(config).toMatchObject({
    'breaker.brownoutLimit': '7',
    probe: expect.stringContaining('"echo"') as unknown,
  })

  const everywhere = (closed: boolean, what: string) =>
    eventually(async () => {
      const peeks = await Promise.all(all.map((one) => one.ask('peek')))
      return peeks.every((snapshot) => (snapshot?.state === 'closed') === closed)
    }, what)
  const calls = (some: readonly One[], failing: boolean | null) =>
    Promise.all(some.map((one) => one.ask('calls', failing)))

  let brownouts = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    // One version sees it fail, and the other sees it recover; the next time it is the other way round.
    const [opens, closes] = round % 2 === 0 ? [olds, news] : [news, olds]
    await calls(all, false)
    for (const one of news) {
      await one.ask('record', 'brownout')
      brownouts += 1
    }
    await calls(closes, null)
    await calls(opens, true)
    await everywhere(false, `round ${round}: open in all processes`)
    await calls(opens, null)
    await calls(closes, false)
    await everywhere(true, `round ${round}: closed in all processes`)
  }
  await calls(all, null)
  await Promise.all(all.map((one) => one.ask('flush')))

  // The older one sets a setting that it knows, and reads what it does not.
  const [old, recent] = [olds[0], news[0]]
  if (old === undefined || recent === undefined) throw new Error('no process')
  await recent.ask('reset')
  await old.ask('register', { ...BOTH, slowMs: 1_234 })
  const after = await redis.hgetall(keys.config)
  expect(after).toMatchObject({ 'breaker.brownoutLimit': '7', slowMs: '1234', probe: config['probe'] })
  expect(Number(await redis.hget(keys.circuit, 'brownouts'))).toBe(brownouts)
  const outcomes = (await old.ask('history')).map(({ status }) => status)
  expect(outcomes).toContain('brownout')
  expect((await old.ask('events')).map(({ kind }) => kind)).toContain('rested')
  expect(await recent.ask('history')).toEqual(await old.ask('history'))
  expect(await recent.ask('settings')).toMatchObject({ slowMs: 1_234, probe: { kind: 'echo' } })

  // Its probe is made by those that know it, and goes on; the others say so.
  const report = await old.ask('probe')
  expect(report).toMatchObject({ probed: false, code: 'kind_elsewhere' })
  const before = Number(await redis.hget(keys.circuit, 'last_probe_at_ms'))
  await eventually(
    async () => Number(await redis.hget(keys.circuit, 'last_probe_at_ms')) > before,
    'it is probed',
  )
  expect(await redis.hget(keys.circuit, 'last_probe_detail')).toMatch(/^echo by version-[14]$/)
  expect((await fleet.planned())['openai']).toBe(PROBED_EVERY_MS)
  for (const one of olds) expect(await one.ask('problems')).toEqual(expect.arrayContaining([NOT_READ[1]]))

  let made = 0
  for (const one of all) {
    const seen = await one.ask('seen')
    made += seen.made
    expect(seen).toMatchObject({ connectionErrors: 0, outcomesLost: 0 })
    const said = (await one.ask('said')).filter(({ message }) => !EXPECTED.test(message))
    const notRead = said.filter(({ message }) => message.startsWith('a stored setting cannot be read'))
    const rest = said.filter((line) => !notRead.includes(line) && !line.message.startsWith('probe discarded'))
    expect(rest).toEqual([])
    // Once each, however often it was read.
    expect(notRead.map(({ problem }) => problem).sort()).toEqual(olds.includes(one) ? NOT_READ : [])
  }

  const unreadable = `${namespace}:later`
  await redis.hset(`${unreadable}:meta`, 'schema', '3')
  for (const one of all) {
    await expect(one.ask('join', unreadable)).rejects.toMatchObject({
      code: 'redis_unsupported',
      message: expect.stringContaining('schema 3') as unknown,
    })
  }
  // Alone, the older ones neither make the newer's probe nor take its plan away, whatever they hear of the provider.
  await Promise.all(news.map((one) => one.kill()))
  const alone = await redis.hget(keys.circuit, 'last_probe_at_ms')
  await old.ask('register', { ...BOTH, slowMs: 1 })
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  expect((await fleet.planned())['openai']).toBe(PROBED_EVERY_MS)
  expect(await redis.hget(keys.circuit, 'last_probe_at_ms')).toBe(alone)
  figure(
    19,
    `${made} calls of two versions side by side, ${ROUNDS} outages seen and ended in each: 6 additions of the newer kept by ` +
      'the older, its probe made by the newer alone, no error in the log; another schema refused by name',
  )
})
