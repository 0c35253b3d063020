/** What paused probe queues mean, in a sentence; empty where none is paused. */
export const pausedText = (queues: readonly string[]): string =>
  queues.length === 0
    ? ''
    : `probes are paused: queue.pause() was called on ${queues.join(', ')}; queue.resume() of BullMQ ends it`
