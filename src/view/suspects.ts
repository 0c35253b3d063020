import { clean, formatAbout, formatCount, plural } from './format.js'
import type { ProviderView } from './provider-view.js'

/** The domain of all processes that have never had a success, together. */
const UNTRIED = '?'

type Suspect = ProviderView['snapshot']['suspects'][number]

/** `worker-7 on node-3 fails alone: 14 failures in a row there in 10s, and 2,310 successes elsewhere meanwhile (node-1 disagrees)`. */
export function suspectText(
  { worker, domain, failures, successes, against, since }: Suspect,
  at: number,
): string {
  const where = domain === UNTRIED ? ', without a success since it started,' : ` on ${domain}`
  const there = `${plural(failures, 'failure')} in a row there in ${formatAbout(at - since)}`
  const elsewhere = `${formatCount(successes)} ${successes === 1 ? 'success' : 'successes'} elsewhere meanwhile`
  const other = against === '*' ? 'a health check' : against
  return clean(`${worker}${where} fails alone: ${there}, and ${elsewhere} (${other} disagrees)`)
}

/** All of them in sentences; empty when there are none. */
export const suspectsText = ({ snapshot: { suspects, at } }: Pick<ProviderView, 'snapshot'>): string =>
  suspects.map((suspect) => `${suspectText(suspect, at)}.`).join(' ')
