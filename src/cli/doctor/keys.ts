import type { Inspection } from '../../index.js'
import { clean } from '../../view/format.js'
import type { Unreadable } from '../../view/provider-view.js'
import { finding, ok, type Finding } from './finding.js'

const MEND =
  'Find out what writes there (two programs in one namespace?), move it, and DEL the key: workers come back by themselves.'

/** Keys that hold something of another type: Redis refuses every command on them. */
export function checkKeys({ wrongTypes }: Inspection): Finding[] {
  if (wrongTypes === null)
    return [finding('note', 'keys', 'this user may not ask for their types', 'Allow TYPE to it (ACL).')]
  if (wrongTypes.length === 0) return [ok('keys', 'each holds what it should')]
  return wrongTypes.map(({ key, found, expected, provider }) => {
    const what = `${clean(key)} is a ${found} and should be a ${expected}`
    return provider === null
      ? finding('fail', 'keys', `${what}: the whole fleet decides without Redis`, MEND)
      : finding('fail', `keys ${clean(provider)}`, `${what}: each process decides for itself`, MEND)
  })
}

/** Providers that cannot be read for another reason. */
export function checkUnreadable(unreadable: readonly Unreadable[], { wrongTypes }: Inspection): Finding[] {
  const named = new Set(wrongTypes?.map(({ provider }) => provider))
  return unreadable
    .filter(({ id }) => !named.has(id))
    .map(({ id, why }) =>
      finding(
        'fail',
        `provider ${clean(id)}`,
        `cannot be read: ${why}`,
        'Correct what stands in its config key (HSET), or busbar apply its settings; or give this user the right.',
      ),
    )
}
