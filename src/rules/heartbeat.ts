import type { Circuit } from './circuit.js'

/**
 * The provider reports by itself. The first heartbeat counts as progress, and later any other number. A smaller number
 * counts too, because a provider that restarts counts from 0. Null: it does not say how far it has come.
 */
export function recordHeartbeat(circuit: Circuit, progress: number | null): Circuit {
  const { heartbeat, lastNowMs: atMs } = circuit
  const moved = heartbeat === null || (progress !== null && progress !== heartbeat.progress)
  return {
    ...circuit,
    heartbeat: {
      atMs,
      progress: progress ?? heartbeat?.progress ?? null,
      progressAtMs: moved ? atMs : heartbeat.progressAtMs,
    },
  }
}
