import { KEY_SCHEMA, type Inspection, type Planned } from '../../index.js'
import { CLI_WORKER_PREFIX } from '../fleet.js'
import { clean, formatAbout, formatDuration, plural } from '../../view/format.js'
import { resumeCall } from '../../view/paused.js'
import {
  clientErrorWords,
  ignoredAdvice,
  ignoredWords,
  LATE_MS,
  mostlyClientErrors,
  mostlyIgnored,
  type ProviderView,
} from '../../view/provider-view.js'
import { isLive } from './domains.js'
import { finding, ok, type Finding } from './finding.js'

/** Checks of the namespace: its keys, its processes, its probes. */
export function checkFleet(facts: Inspection, views: readonly ProviderView[]): Finding[] {
  return [
    schema(facts),
    workers(facts, views),
    ...paused(facts, views),
    ...probes(facts, views),
    ...atFault(views),
    ...ignored(views),
    ...notRead(views),
    ...pinned(views),
  ]
}

function schema({ schema }: Inspection): Finding {
  if (schema === KEY_SCHEMA) return ok('schema', schema)
  if (schema === null)
    return finding('note', 'schema', 'no keys in this namespace yet', 'Check --namespace, or start a worker.')
  return finding(
    'fail',
    'schema',
    `${clean(schema)}, and this is for ${KEY_SCHEMA}`,
    'Use the version of Busbar that wrote it.',
  )
}

function workers({ workers }: Inspection, views: readonly ProviderView[]): Finding {
  const seen = workers.filter(({ id }) => !id.startsWith(CLI_WORKER_PREFIX))
  const live = seen.filter(isLive)
  const gone = seen.length - live.length
  const found = `${plural(live.length, 'process', 'processes')} connected${gone === 0 ? '' : `, ${gone} gone in the last 10m`}`
  if (live.length > 0 || views.length === 0) return ok('workers', found)
  return finding('note', 'workers', found, 'Start one, or check --namespace.')
}

/** Its providers are overdue because of it: one finding says so, and no other asks for a worker. */
function paused({ pausedProbeQueues, planned }: Inspection, views: readonly ProviderView[]): Finding[] {
  const stale = new Set(views.flatMap(({ snapshot }) => (snapshot.stale ? snapshot.id : [])))
  return pausedProbeQueues.map((name) => {
    const held = planned.filter(({ queue }) => queue === name)
    const overdue = held.filter(({ id, lateMs }) => stale.has(id) || lateMs > LATE_MS).length
    const whose = `none of its probes runs (${plural(held.length, 'provider')}, ${overdue} overdue)`
    return finding(
      'warn',
      'probe queue',
      `${clean(name)} is paused: ${whose}`,
      `Somebody called queue.pause() of BullMQ, or a dashboard did; who is not kept. To end it: ${clean(resumeCall(name))}`,
    )
  })
}

function probes({ planned, pausedProbeQueues }: Inspection, views: readonly ProviderView[]): Finding[] {
  const plans = new Map(planned.map((plan) => [plan.id, plan]))
  const isHeld = (plan: Planned | undefined) => plan !== undefined && pausedProbeQueues.includes(plan.queue)
  const others = views.filter(({ snapshot }) => !isHeld(plans.get(snapshot.id)))
  const findings = others.flatMap((view) => probe(view, plans.get(view.snapshot.id)))
  const known = new Set(views.map(({ snapshot }) => snapshot.id))
  for (const id of plans.keys()) {
    if (known.has(id)) continue
    findings.push(
      finding(
        'note',
        `probe ${clean(id)}`,
        'planned, and there is no such provider',
        'None: the next process that runs startProbes() removes it.',
      ),
    )
  }
  if (findings.length > 0) return findings
  const probed = others.filter(({ settings }) => settings.probe !== undefined).length
  if (probed === 0 && others.length < views.length) return []
  return [ok('probes', `${plural(probed, 'provider')} probed, each as often as it should be`)]
}

function probe(
  { snapshot, settings, problems }: ProviderView,
  plan: { intervalMs: number; lateMs: number } | undefined,
): Finding[] {
  const check = `probe ${snapshot.id}`
  const { probeIntervalMs: intervalMs } = snapshot
  if (intervalMs === null) {
    const elsewhere = snapshot.mark === null && problems.some((problem) => problem.startsWith('probe'))
    if (plan === undefined || elsewhere) return []
    const why =
      settings.probe === undefined ? 'no probe is configured' : `it is marked ${snapshot.mark ?? ''}`
    return [
      finding('note', check, `planned, though ${why}`, 'None: a process that runs startProbes() removes it.'),
    ]
  }
  const run = 'Does any process run startProbes(), or busbar start --config?'
  if (plan === undefined) return [finding('warn', check, 'a probe is configured, and nothing plans it', run)]
  if (plan.intervalMs !== intervalMs && !isOnItsWay(plan.intervalMs, snapshot, settings)) {
    const found = `planned every ${formatDuration(plan.intervalMs)}, and it should be every ${formatDuration(intervalMs)}`
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
  if (plan.lateMs <= LATE_MS) return []
  return [finding('warn', check, `due ${formatAbout(plan.lateMs)} ago, and no process takes it`, run)]
}

/** The plan follows each transition. Half-open begins without a transition, and is seen when a worker next looks. */
function isOnItsWay(
  plannedMs: number,
  { at, stateSince }: ProviderView['snapshot'],
  { probe }: ProviderView['settings'],
): boolean {
  const intervals = [probe?.intervalMs, probe?.suspiciousIntervalMs, probe?.downIntervalMs]
  return intervals.includes(plannedMs) && at - stateSince < LOOKED_WITHIN_MS
}

/** How often one worker of the fleet checks all plans, and a little, ms. */
const LOOKED_WITHIN_MS = 40_000

/** Below this number of calls, the mistake of one caller would look like a trend. */
const ENOUGH_CALLS = 5

/** The circuit stays closed, since the provider answers. Without this finding a revoked key would stay unseen. */
const atFault = (views: readonly ProviderView[]): Finding[] =>
  views.flatMap(({ snapshot }) =>
    mostlyClientErrors(snapshot) && snapshot.clientErrors >= ENOUGH_CALLS
      ? finding(
          'warn',
          `calls ${clean(snapshot.id)}`,
          clientErrorWords(snapshot),
          'The provider answers, and turns down what is asked: look at the key, the address and the request.',
        )
      : [],
  )

/** A program that uses aborts as its time limit keeps the circuit closed, even if the provider is dead. */
const ignored = (views: readonly ProviderView[]): Finding[] =>
  views.flatMap(({ snapshot }) =>
    mostlyIgnored(snapshot) && snapshot.ignored >= ENOUGH_CALLS
      ? finding('warn', `calls ${clean(snapshot.id)}`, ignoredWords(snapshot), ignoredAdvice(snapshot))
      : [],
  )

/** Settings that another version of Busbar, or a person, wrote. */
const notRead = (views: readonly ProviderView[]): Finding[] =>
  views.flatMap(({ snapshot, problems }) =>
    problems.map((problem) =>
      finding(
        'warn',
        `settings ${clean(snapshot.id)}`,
        `not read by this version of Busbar, which goes by the default: ${clean(problem)}`,
        'Update the workers that are older than the one that wrote it, or set it again with busbar apply.',
      ),
    ),
  )

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
