import type { Busbar, ProbeWorker } from '../client/busbar.js'
import { connectionErrors } from '../client/log.js'
import { isBusbarError } from '../model/errors.js'
import type { ProbeSettings } from '../model/settings.js'
import { probeHttp } from './kinds/http.js'
import { look } from './look.js'
import { ProbeQueue, type QueueConnection } from './queue.js'
import { Reconciler } from './reconciler.js'

/**
 * Makes this process one of those that run the fleet's probes.
 * @throws RedisUnavailableError
 */
export async function startProbeWorker(
  busbar: Busbar,
  openConnection: () => QueueConnection,
  concurrency: number,
): Promise<ProbeWorker> {
  const { counters, log } = busbar.host
  const queue: ProbeQueue = new ProbeQueue({
    namespace: busbar.namespace,
    connection: openConnection(),
    concurrency,
    process: (id) => processTick(busbar, reconciler, id),
    onError: connectionErrors(log, counters, 'probe queue error'),
  })
  const reconciler: Reconciler = new Reconciler(busbar, queue)
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    reconciler.close()
    closing ??= queue.close()
    return closing
  }
  try {
    await reconciler.start()
  } catch (error) {
    await close()
    throw error
  }
  queue.run()
  return { close, [Symbol.asyncDispose]: close }
}

/** Never rejects: a tick that failed would say nothing that the log does not. */
async function processTick(busbar: Busbar, reconciler: Reconciler, id: string): Promise<void> {
  const { counters, log } = busbar.host
  try {
    await probeOnce(busbar, reconciler, id)
  } catch (error) {
    if (isBusbarError(error, 'provider_removed')) {
      reconciler.request(id)
      return
    }
    counters.connectionErrors += 1
    log.warn({ err: error, provider: id }, 'a probe could not begin, or its result not be recorded')
  }
}

async function probeOnce(busbar: Busbar, reconciler: Reconciler, id: string): Promise<void> {
  const { log, worker } = busbar.host
  const seen = await look(busbar, id)
  // A tick may outlive its scheduler. The reconciler looks again, and removes it if it is still there.
  if (seen?.probe === undefined) {
    reconciler.request(id)
    return
  }
  const { probe, provider, snapshot } = seen
  const minGapMs = Math.floor(probe.intervalMs * MIN_GAP_SHARE)
  const admission = await provider.beginProbe({ minGapMs, timeoutMs: probe.timeoutMs })
  if ('refused' in admission) {
    const { code, reason } = admission.refused
    log.debug({ provider: id, code, reason }, 'probe not begun')
    return
  }
  // The admission vouches for the settings in force when it was given, and those that were read are to be the same.
  const revision = provider.peek()?.settingsRevision
  if (revision !== snapshot.settingsRevision) return admission.ticket.abandon()
  const result = await KINDS[probe.kind](probe, { workerId: worker })
  await admission.ticket.finish(result)
  log.debug({ provider: id, ...result }, 'probe tick')
}

/**
 * Two probes of a provider begin at least this share of its interval apart, in the whole fleet. The second half of
 * an interval begins at the provider, not in Redis: what is above one half allows for the way there.
 */
const MIN_GAP_SHARE = 0.6

/** What runs each kind. */
const KINDS = { http: probeHttp } satisfies Record<ProbeSettings['kind'], unknown>
