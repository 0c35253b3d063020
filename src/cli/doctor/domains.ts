import type { Inspection } from '../../index.js'
import { CLI_WORKER_PREFIX } from '../fleet.js'
import { clean, formatCount, plural } from '../../view/format.js'
import type { ProviderView } from '../../view/provider-view.js'
import { finding, type Finding } from './finding.js'

/** Silence after which a process counts as gone: twice the heartbeat and a little, ms. */
const SEEN_LATELY_MS = 75_000

export const isLive = ({ id, lastSeenAgoMs }: Inspection['workers'][number]): boolean =>
  !id.startsWith(CLI_WORKER_PREFIX) && lastSeenAgoMs <= SEEN_LATELY_MS

/** Checks of what fails together: whether a quorum would help, and whether one counts pods as machines. */
export function checkDomains({ workers }: Inspection, views: readonly ProviderView[]): Finding[] {
  const live = workers.filter(isLive)
  const named = live.flatMap(({ domain }) => (domain === null ? [] : [domain]))
  const domains = [...new Set(named)]
  const pods = domains.length > 1 && domains.length === live.length && domains.every(looksLikePod)
  const judged = views.filter(({ settings }) => settings.breaker.quorum > 1)
  if (pods && judged.length > 0) return [podsCounted(domains)]
  return domains.length >= ENOUGH_DOMAINS ? quorumAdvice(domains.length, pods, views) : []
}

/** Random parts of the names of a ReplicaSet and of its pods; a container of Docker has the beginning of its id. */
const POD = /-(?:[0-9a-f]{8,10}|[b-df-hj-np-tv-xz2-9]{6,10})-[b-df-hj-np-tv-xz2-9]{5}$|^[0-9a-f]{12}$/

export const looksLikePod = (domain: string): boolean => POD.test(domain)

const NODE_NAME = 'Set BUSBAR_FAILURE_DOMAIN from the name of the node (spec.nodeName)'

const podsCounted = (domains: readonly string[]): Finding =>
  finding(
    'warn',
    'failure domains',
    `each of ${formatCount(domains.length)} has one process, and the names look like pods: ${clean(domains[0] ?? '')}`,
    `${NODE_NAME}: else several pods on one broken node are several witnesses.`,
  )

const ENOUGH_DOMAINS = 3

/** One finding for all: a fleet that wants no quorum is to read it once. */
function quorumAdvice(count: number, pods: boolean, views: readonly ProviderView[]): Finding[] {
  const alone = views.filter(({ settings }) => settings.breaker.quorum === 1)
  const [first] = alone
  if (first === undefined) return []
  const one = alone.length === 1
  const whose = one ? clean(first.snapshot.id) : plural(alone.length, 'provider')
  return [
    finding(
      'note',
      'failure domains',
      `${formatCount(count)} live, and ${whose} ${one ? 'opens' : 'open'} by the failures of one alone`,
      `${pods ? `${NODE_NAME}. ` : ''}From three domains on: quorum 2, failureThreshold 10, failureRate 0.5.`,
    ),
  ]
}
