import type { Inspection } from '../../index.js'
import { CLI_WORKER_PREFIX } from '../fleet.js'
import { formatDuration } from '../../view/format.js'
import type { ProviderView } from '../../view/provider-view.js'
import { finding, type Finding, type Level } from './finding.js'

/** Advice about the settings of one provider, as docs/choosing-rules.md draws it from simulations. */
interface Advice {
  readonly check: string
  readonly level: Level
  readonly advice: string
  /** What was found, without the provider's name; undefined where there is nothing to say. */
  readonly find: (view: ProviderView, workers: number) => string | undefined
}

const BUSY_PER_SECOND = 10
const LOW_THRESHOLD = 3
const LOW_RATE = 0.2
/** The budget of a provider, batches of the whole fleet per second, as far as it is used. */
const BATCHES_PER_SECOND = 900
const PAUSES_IN_WINDOW = 4
const MAX_SHOWN = 5

const ADVICE: readonly Advice[] = [
  {
    check: 'threshold',
    level: 'warn',
    advice:
      'A few per cent of independent errors open it. Set failureThreshold: 10 with failureRate: 0.5; busbar simulate shows what changes.',
    find: ({ snapshot, settings }) => {
      const { failureThreshold } = settings.breaker
      const perSecond = (1_000 * snapshot.historyTotal) / Math.max(1, snapshot.windowCoveredMs)
      if (failureThreshold === null || failureThreshold > LOW_THRESHOLD || perSecond <= BUSY_PER_SECOND)
        return undefined
      return `failureThreshold ${failureThreshold} at ${Math.round(perSecond)} calls/s`
    },
  },
  {
    check: 'failure rate',
    level: 'warn',
    advice: 'A rate below 0.2 opens on ordinary noise.',
    find: ({ settings: { breaker } }) => {
      const low = (['failureRate', 'degradedRate'] as const).filter((name) => (breaker[name] ?? 1) < LOW_RATE)
      return low.length === 0 ? undefined : low.map((name) => `${name} ${breaker[name]}`).join(', ')
    },
  },
  {
    check: 'failure rate',
    level: 'note',
    advice: 'A rate alone takes seconds to notice a dead provider: keep a failureThreshold beside it.',
    find: ({ settings: { breaker } }) =>
      breaker.failureThreshold === null ? 'failureThreshold is null' : undefined,
  },
  {
    check: 'rate window',
    level: 'warn',
    advice:
      'Outcomes come in batches: the window must have several of each worker. Set a longer rateWindowMs.',
    find: ({ settings: { breaker } }, workers) => {
      const judges = breaker.failureRate !== undefined || breaker.degradedRate !== undefined
      const pauseMs = (1_000 * workers) / BATCHES_PER_SECOND
      if (!judges || breaker.rateWindowMs >= PAUSES_IN_WINDOW * pauseMs) return undefined
      const window = formatDuration(breaker.rateWindowMs)
      return `rateWindowMs ${window}, and ${workers} workers report every ${formatDuration(Math.round(pauseMs))}`
    },
  },
]

/** Rules that would open too easily, too late or on too little. */
export function checkRules(
  { workers }: Pick<Inspection, 'workers'>,
  views: readonly ProviderView[],
): Finding[] {
  const calling = workers.filter(({ id }) => !id.startsWith(CLI_WORKER_PREFIX)).length
  return ADVICE.flatMap(({ check, level, advice, find }) => {
    const found = views.flatMap((view) => {
      const text = find(view, calling)
      return text === undefined ? [] : [`${view.snapshot.id}: ${text}`]
    })
    const more = found.length - MAX_SHOWN
    const shown =
      more > 0 ? [...found.slice(0, MAX_SHOWN), `and so it is with ${more} other providers`] : found
    return shown.map((text) => finding(level, check, text, advice))
  })
}
