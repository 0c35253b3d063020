import type { Busbar } from '../index.js'

/** A sentence about paused probe queues; empty where none is paused. */
export const pausedText = (queues: readonly string[]): string =>
  queues.length === 0
    ? ''
    : `probes are paused: queue.pause() was called on ${queues.join(', ')}; queue.resume() of BullMQ ends it`

/** The call that ends the pause of a queue, as it is typed: BullMQ wants its name and its prefix apart. */
export function resumeCall(queue: string): string {
  const end = queue.lastIndexOf('}:') + 1
  return `await new Queue('${queue.slice(end + 1)}', { prefix: '${queue.slice(0, end)}', connection }).resume()`
}

/** The paused queues that hold up one provider: its own; where nothing has planned it, any may be. */
export async function pausedQueuesOf(busbar: Busbar, id: string): Promise<readonly string[]> {
  const paused = await busbar.pausedProbeQueues()
  if (paused.length === 0) return paused
  const plan = (await busbar.schedules()).planned.find((planned) => planned.id === id)
  return plan === undefined ? paused : paused.filter((queue) => queue === plan.queue)
}
