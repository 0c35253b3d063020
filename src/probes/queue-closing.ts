import type { ConnectionOptions, Queue, Worker } from 'bullmq'
import { redactError } from '../model/redact.js'
import { withTimeout } from '../model/timeout.js'

/** How queues of BullMQ and their workers end, also while Redis is away or frozen. */

/** An ioredis client, as far as the queues need to know it. */
export type QueueConnection = ConnectionOptions & { readonly status: string; disconnect(): void }

/** Nothing of BullMQ's own waits longer than this for Redis or for a new job, ms. */
export const PATIENCE_MS = 2_000
/** So often connections are cut at a close, `PATIENCE_MS` apart, before it gives up waiting. */
const MAX_ROUNDS = 4

interface Startable {
  start(): Promise<void>
  close(): Promise<void>
}

/** Starts what works on queues; closes it again where that fails. @throws the error of the start, without secrets */
export async function startOrClose<W extends Startable>(worker: W): Promise<W> {
  try {
    await worker.start()
  } catch (error) {
    await worker.close()
    throw redactError(error) // of the queue, whose commands hang on its errors
  }
  return worker
}

export async function closeQueue(queue: Queue): Promise<void> {
  await settled(queue.close())
}

/** Closes its blocking connection, also while Redis is away. Nothing of it is under way any more. */
export async function closeWorker(worker: Worker, connection: QueueConnection): Promise<void> {
  const blocking = await settled(Promise.resolve(worker.getBackend().blockingClient))
  const reachable = connection.status === 'ready' && blocking?.status === 'ready'
  // Unforced it hands the ended jobs back, for which it needs Redis.
  const closed = worker.close(!reachable).then(
    () => true,
    () => true,
  )
  // Where Redis is frozen it would wait for ever, and connect again after a disconnect: so more than once.
  for (let round = 0; round < MAX_ROUNDS && (await settled(closed)) !== true; round += 1) {
    disconnect(blocking)
    disconnect(connection)
  }
  disconnect(blocking)
}

/** Once only: a second disconnect would leave a timer of ioredis behind. */
export function disconnect(client: Pick<QueueConnection, 'status' | 'disconnect'> | undefined): void {
  if (client !== undefined && client.status !== 'end') client.disconnect()
}

/** The value of `work`; undefined when it fails or takes longer than `PATIENCE_MS`. */
const settled = <T>(work: Promise<T>): Promise<T | undefined> =>
  withTimeout(
    work.catch(() => undefined),
    PATIENCE_MS,
    () => undefined,
  )
