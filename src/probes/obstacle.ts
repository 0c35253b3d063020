import { redisFailure } from '../model/errors.js'
import type { Schedule } from '../model/ports/schedule.js'

/** Why no worker of the fleet makes a probe. */
export interface Obstacle {
  readonly code: 'queue_paused' | 'no_worker'
  readonly reason: string
  /** This process may make it instead: no process runs probes, or none with what it needs. */
  readonly here: boolean
}

/** Why the queue of such a probe takes no job now; undefined when it does. @throws RedisUnavailableError */
export async function obstacleTo(
  schedule: Schedule,
  id: string,
  needs: string,
): Promise<Obstacle | undefined> {
  try {
    const { queue, paused, hasWorker } = await schedule.queueFor(id, needs)
    if (paused) {
      const reason = `its probe queue ${queue} is paused (queue.pause() of BullMQ); queue.resume() ends it`
      return { code: 'queue_paused', reason, here: false }
    }
    if (hasWorker !== false) return undefined
    const reason = needs === '' ? 'no process runs probes' : `no worker has registered ${needs}`
    return { code: 'no_worker', reason, here: true }
  } catch (error) {
    // A process that runs no probes needs no right to the queues.
    if (redisFailure(error) !== 'permanent') throw error
    return { code: 'no_worker', reason: 'this process may not use the probe queues', here: true }
  }
}
