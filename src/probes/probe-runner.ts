import { SYSTEM_TIME } from '../client/shared/time.js'
import type { ProbeFinding, ProberError, ProbeSettings } from '../model/probe.js'
import { kindOf } from './kinds.js'
import {
  registeredName,
  type ProbeMeans,
  type ProbeSubject,
  type ProbeTime,
  type Registered,
} from './kinds/kind.js'

/** All that a worker registered, by the names that probes need. */
export const namesOf = ({ processes, functions }: Registered): string[] => [
  ...[...functions.keys()].map((name) => registeredName('function', name)),
  ...[...processes.keys()].map((name) => registeredName('process', name)),
]

/** Runs probes of every kind, with what one worker has for them. */
export class ProbeRunner {
  readonly #means: ProbeMeans

  constructor(workerId: string, registered: Registered, time: ProbeTime = SYSTEM_TIME) {
    this.#means = { workerId, registered, time, underway: new Set() }
  }

  /** Why this worker cannot run it, known before anything is asked of Redis; another worker may be able to. */
  unable(probe: ProbeSettings): ProberError | undefined {
    return kindOf(probe.kind).unable(probe, this.#means.registered)
  }

  /** Never rejects: whatever happens is a finding, and comes within about `timeoutMs`. */
  run(probe: ProbeSettings, subject: ProbeSubject): Promise<ProbeFinding> {
    return kindOf(probe.kind).run(probe, subject, this.#means)
  }
}
