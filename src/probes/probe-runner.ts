import type {
  HeartbeatProbeSettings,
  NothingYet,
  ProbeFinding,
  ProbeFunction,
  ProberError,
  ProbeSettings,
  ProcessSource,
} from '../model/probe.js'
import { SYSTEM_TIME } from '../client/shared/time.js'
import { probeFunction, type ProbeTime } from './kinds/function.js'
import { judgeHeartbeat, type Heard } from './kinds/heartbeat.js'
import { probeHttp } from './kinds/http.js'
import { probeProcess } from './kinds/process.js'
import { missingCredentials, probeRedis } from './kinds/redis.js'
import { probeTcp } from './kinds/tcp.js'
import { timed } from './kinds/timed.js'

/** What this worker registered, by name. */
export interface Registered {
  readonly processes: ReadonlyMap<string, ProcessSource>
  readonly functions: ReadonlyMap<string, ProbeFunction>
}

export interface ProbeSubject {
  readonly providerId: string
  readonly heard: Heard
  /** When the settings were set, Redis ms. */
  readonly settingsSetAt: number
}

/** The code of a worker that a probe needs, `function/<name>` or `process/<name>`; empty: any worker can make it. */
export const codeOf = (probe: ProbeSettings): string =>
  probe.kind === 'function' || probe.kind === 'process' ? `${probe.kind}/${probe.name}` : ''

/** All the code that a worker registered. */
export const codesOf = ({ processes, functions }: Registered): string[] => [
  ...[...functions.keys()].map((name) => `function/${name}`),
  ...[...processes.keys()].map((name) => `process/${name}`),
]

/** Runs probes of every kind, with what one worker has for them. */
export class ProbeRunner {
  readonly #workerId: string
  readonly #registered: Registered
  readonly #time: ProbeTime
  readonly #underway = new Set<string>()

  constructor(workerId: string, registered: Registered, time: ProbeTime = SYSTEM_TIME) {
    this.#workerId = workerId
    this.#time = time
    this.#registered = registered
  }

  /** Why this worker cannot run it, known before anything is asked of Redis; another worker may be able to. */
  unable(probe: ProbeSettings): ProberError | undefined {
    const { processes, functions } = this.#registered
    if (probe.kind === 'process' && !processes.has(probe.name)) return unregistered('process', probe.name)
    if (probe.kind === 'function' && !functions.has(probe.name)) return unregistered('function', probe.name)
    return probe.kind === 'redis' ? missingCredentials(probe) : undefined
  }

  /** Never rejects: whatever happens is a finding, and comes within about `timeoutMs`. */
  run(probe: ProbeSettings, subject: ProbeSubject): Promise<ProbeFinding> {
    const { providerId } = subject
    switch (probe.kind) {
      case 'http':
        return probeHttp(probe, { workerId: this.#workerId })
      case 'tcp':
        return probeTcp(probe)
      case 'redis':
        return probeRedis(probe)
      case 'process': {
        const source = this.#registered.processes.get(probe.name)
        if (source === undefined) return Promise.resolve(unregistered('process', probe.name))
        return probeProcess(probe.name, source, probe.timeoutMs)
      }
      case 'function': {
        const fn = this.#registered.functions.get(probe.name)
        if (fn === undefined) return Promise.resolve(unregistered('function', probe.name))
        return probeFunction(probe, { fn, providerId, underway: this.#underway, time: this.#time })
      }
      case 'heartbeat':
        return this.#heartbeat(probe, subject)
      default:
        return Promise.resolve(probe satisfies never)
    }
  }

  /** The process first, where this worker knows it: how it ended says more than its silence. */
  async #heartbeat(
    probe: HeartbeatProbeSettings,
    { heard, settingsSetAt }: ProbeSubject,
  ): Promise<ProbeFinding> {
    const { process: name, timeoutMs } = probe
    const source = name === undefined ? undefined : this.#registered.processes.get(name)
    if (name !== undefined && source !== undefined) {
      const found = await probeProcess(name, source, timeoutMs)
      if (!('status' in found) || found.status !== 'healthy') return found
    }
    const judged = judgeHeartbeat(probe, heard, settingsSetAt)
    return 'pending' in judged ? (judged satisfies NothingYet) : timed({}, () => Promise.resolve(judged))
  }
}

const unregistered = (what: 'process' | 'function', name: string): ProberError => ({
  prober: true,
  reason: `no ${what} named ${name} is registered in this worker`,
})
