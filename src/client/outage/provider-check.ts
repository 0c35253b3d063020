import type { Store } from '../../model/ports/store.js'
import type { KnownReply, Reply, SettingsReply } from '../../model/ports/store-replies.js'
import type { Run } from '../../model/ports/store-requests.js'
import type { ProcessContext } from '../context.js'

/** The part of the session that the check needs. */
interface Checked {
  readonly id: string
  readonly caller: { readonly worker: string; readonly knownVersion: number }
  readonly notAfterMs: number
  run<T>(doing: string, operation: (store: Store) => Promise<Reply<T>>): Promise<KnownReply<T>>
  currentSettings(): Promise<SettingsReply>
}

/**
 * Reads and writes what a provider's calls need of the store, and changes nothing: whether one that was cut off can come back.
 * `sequence`: another one at each check.
 * @throws with what is wrong
 */
export async function checkProvider(
  context: ProcessContext,
  session: Checked,
  sequence: number,
): Promise<void> {
  const { store, incarnation, flushIntervalMs, maxBatchesPerSecond } = context
  await store.verify(session.id)
  // Those that were read before may have been readable.
  await store.settings(session.id)
  await session.run('snapshot', () => store.snapshot(session.id))
  await session.currentSettings()
  await session.run('record', () =>
    store.record(session.id, {
      ...session.caller,
      // Apart from the batches of the outbox, which have sequences of their own.
      incarnation: `${incarnation}:check`,
      sequence,
      resent: false,
      jitterDraw: 0,
      flushIntervalMs,
      maxBatchesPerSecond,
      notAfterMs: session.notAfterMs,
      lostMsAgo: null,
      runs: [NOTHING],
    }),
  )
}

/** No outcome at all. */
const NOTHING: Run = {
  origin: 'call',
  outcome: 'ignored',
  count: 0,
  generation: 0,
  token: '',
  retryAfterMs: 0,
  settingsRevision: 0,
  markVersion: 0,
  detail: '',
  ageMs: 0,
}
