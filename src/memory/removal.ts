import { bumpVersion, type Circuit, type Step } from '../rules/circuit.js'

/** The author of a removal. */
export interface RemovedBy {
  readonly reason: string
  readonly actor: string
  readonly worker: string
}

/** The last step of a provider: one event, and a version by which late news of it is known to be old. */
export function removal(before: Circuit, { reason, actor }: RemovedBy): Step {
  const circuit = bumpVersion(before)
  const { generation, version, phase } = circuit
  const removed = { kind: 'removed', from: phase.state, to: '', reason, actor, generation, version } as const
  return { circuit, events: [removed] }
}
