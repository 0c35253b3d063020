import type { Inspection } from '../../index.js'
import { CLI_WORKER_PREFIX } from '../fleet.js'
import { clean, formatAbout, formatDuration, plural } from '../format.js'
import type { ProviderView } from '../view/provider-view.js'
import { finding, ok, type Finding } from './finding.js'

/** What the namespace is like: its keys, its processes, its probes. */
export function checkFleet(facts: Inspection, views: readonly ProviderView[]): Finding[] {
  return [schema(facts), workers(facts, views), ...probes(facts, views), ...pinned(views)]
}

const SCHEMA = '1'

function schema({ schema }: Inspection): Finding {
  if (schema === SCHEMA) return ok('schema', schema)
  if (schema === null)
    return finding('note', 'schema', 'no keys in this namespace yet', 'Check --namespace, or start a worker.')
  return finding(
    'fail',
    'schema',
    `${clean(schema)}, and this is for ${SCHEMA}`,
    'Use the version of Busbar that wrote it.',
  )
}

/** Twice the heartbeat and a little. */
const SEEN_LATELY_MS = 75_000

function workers({ workers }: Inspection, views: readonly ProviderView[]): Finding {
  const seen = workers.filter(({ id }) => !id.startsWith(CLI_WORKER_PREFIX))
  const live = seen.filter(({ lastSeenAgoMs }) => lastSeenAgoMs <= SEEN_LATELY_MS)
  const gone = seen.length - live.length
  const found = `${plural(live.length, 'process', 'processes')} connected${gone === 0 ? '' : `, ${gone} gone in the last 10m`}`
  if (live.length > 0 || views.length === 0) return ok('workers', found)
  return finding('note', 'workers', found, 'Start one, or check --namespace.')
}

function probes({ schedulers }: Inspection, views: readonly ProviderView[]): Finding[] {
  if (schedulers === null)
    return [
      finding(
        'warn',
        'probes',
        'the queue of the probes does not answer',
        'Try again; look at the log of the server.',
      ),
    ]
  const plans = new Map(schedulers.map((plan) => [plan.id, plan]))
  const findings = views.flatMap((view) => probe(view, plans.get(view.snapshot.id)))
  const known = new Set(views.map(({ snapshot }) => snapshot.id))
  for (const id of plans.keys()) {
    if (known.has(id)) continue
    findings.push(
      finding(
        'note',
        `probe ${clean(id)}`,
        'a scheduler without a provider',
        'None: the next process that runs startProbes() removes it.',
      ),
    )
  }
  if (findings.length > 0) return findings
  const probed = views.filter(({ settings }) => settings.probe !== undefined).length
  return [ok('probes', `${plural(probed, 'provider')} probed, each as often as it should be`)]
}

function probe(
  { snapshot, settings }: ProviderView,
  plan: { intervalMs: number; stuck: boolean } | undefined,
): Finding[] {
  const check = `probe ${snapshot.id}`
  const { probe: wanted } = settings
  const ended = snapshot.mark === 'unhealthy' || snapshot.mark === 'terminated'
  if (wanted === undefined || ended) {
    if (plan === undefined) return []
    const why = wanted === undefined ? 'no probe is configured' : `it is marked ${snapshot.mark ?? ''}`
    return [
      finding(
        'note',
        check,
        `a scheduler, though ${why}`,
        'None: a process that runs startProbes() removes it.',
      ),
    ]
  }
  const run = 'Does any process run startProbes(), or busbar start --config?'
  if (plan === undefined)
    return [finding('warn', check, 'a probe is configured, and nothing schedules it', run)]
  const { intervalMs } = wanted
  if (plan.intervalMs !== intervalMs) {
    const found = `scheduled every ${formatDuration(plan.intervalMs)}, and it should be every ${formatDuration(intervalMs)}`
    return [finding('warn', check, found, run)]
  }
  if (snapshot.stale) {
    const last =
      snapshot.lastProbeAt === null
        ? 'no result yet'
        : `the last result came ${formatAbout(snapshot.at - snapshot.lastProbeAt)} ago`
    return [
      finding(
        'warn',
        check,
        `overdue: ${last}, every ${formatDuration(intervalMs)} is wanted`,
        `${run} Their logs say what keeps it: a missing \${env:NAME}, say.`,
      ),
    ]
  }
  return plan.stuck ? [finding('warn', check, 'its tick is due, and no process takes it', run)] : []
}

function pinned(views: readonly ProviderView[]): Finding[] {
  const applied = views.filter(({ origin }) => origin.pinned)
  if (applied.length === 0) return []
  const shown = applied.map(({ snapshot, origin }) => `${snapshot.id} (by ${clean(origin.setBy)})`).join(', ')
  return [
    finding(
      'note',
      'settings',
      `applied by hand: ${shown}`,
      'busbar apply --release lets code set them again.',
    ),
  ]
}
