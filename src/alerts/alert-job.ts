import type { ProviderEvent } from '../model/events.js'

/**
 * A job of a hook. `event`: tell the hook of what happened to this provider; `sweep`: look at all providers; `deliver`: send
 * the message that waits. None has a URL, a secret or a message: those who look at the queue see ids.
 */
export type AlertJob =
  | { readonly do: 'event'; readonly provider: string }
  | { readonly do: 'sweep' }
  | { readonly do: 'deliver'; readonly delivery: string }

/** The same in every process, so that one job is added for a transition and a hook. The queue gives colons a meaning of its own. */
export const eventJobId = ({ providerId, kind, version, at }: ProviderEvent): string =>
  `${providerId.replaceAll(':', '~')}~${kind}~${version}~at${at}`
