import { redactText } from '../../model/redact.js'
import { show } from '../../config/show.js'
import type {
  FunctionProbeSettings,
  ProbeFinding,
  ProbeFunction,
  ProbeVerdict,
  ProberError,
} from '../../model/probe.js'
import { isHealthStatus } from '../../model/words.js'
import type { UntimedFinding } from './explain.js'
import { registeredName, NO_ADDRESS, unregistered, type KindOfProbe, type ProbeTime } from './kind.js'
import { timed } from './timed.js'
import { messageOf, oneLine, settleWithin, type WorkOutcome } from './within.js'

/**
 * A check in the worker's own code. One that does not end is left behind, and not called again for this provider until
 * it has ended: a function that hangs costs the worker one call, not one more each interval.
 */
export interface FunctionProbeOptions {
  readonly fn: ProbeFunction
  readonly providerId: string
  /** Providers whose function is under way, by name and id; shared by the probes of one worker. */
  readonly underway: Set<string>
  readonly time: ProbeTime
}

/** Never rejects: whatever the function does is a finding. */
export function probeFunction(
  { name, timeoutMs }: FunctionProbeSettings,
  { fn, providerId, underway, time }: FunctionProbeOptions,
): Promise<ProbeFinding> {
  // A blank is no letter of an id.
  const key = `${name} ${providerId}`
  return timed(
    {},
    async () => {
      if (underway.has(key)) {
        const detail = `the function ${name} has not ended since an earlier probe`
        return { kind: 'judged', status: 'timeout', detail } as const
      }
      const call = async (inner: AbortSignal) => {
        underway.add(key)
        try {
          return await fn({ signal: inner, providerId, timeoutMs })
        } finally {
          underway.delete(key)
        }
      }
      return judge(name, timeoutMs, await settleWithin(timeoutMs, call, time.timers))
    },
    time.clock,
  )
}

export const functionKind: KindOfProbe<FunctionProbeSettings> = {
  ...NO_ADDRESS,
  run: async (probe, { providerId }, { registered, underway, time }) => {
    const fn = registered.functions.get(probe.name)
    if (fn === undefined) return unregistered('function', probe.name)
    return probeFunction(probe, { fn, providerId, underway, time })
  },
  unable: ({ name }, { functions }) => (functions.has(name) ? undefined : unregistered('function', name)),
  needs: ({ name }) => registeredName('function', name),
  judgesSnapshot: false,
}

function judge(name: string, timeoutMs: number, outcome: WorkOutcome<ProbeVerdict>): UntimedFinding {
  switch (outcome.kind) {
    case 'timeout':
      return {
        kind: 'judged',
        status: 'timeout',
        detail: `the function ${name} did not end within ${timeoutMs} ms`,
      }
    case 'threw':
      return { kind: 'judged', status: 'unhealthy', detail: messageOf(outcome.error) }
    case 'answered':
      return readVerdict(outcome.value) ?? nonsense(name, outcome.value)
    default:
      return outcome satisfies never
  }
}

/** JavaScript does not hold a function to its type. */
function readVerdict(verdict: unknown): UntimedFinding | undefined {
  if (verdict === true) return { kind: 'judged', status: 'healthy', detail: '' }
  if (verdict === false) return { kind: 'judged', status: 'unhealthy', detail: '' }
  if (isHealthStatus(verdict)) return { kind: 'judged', status: verdict, detail: '' }
  if (typeof verdict !== 'object' || verdict === null || !('status' in verdict)) return undefined
  const detail =
    'detail' in verdict && typeof verdict.detail === 'string' ? oneLine(redactText(verdict.detail)) : ''
  return isHealthStatus(verdict.status) ? { kind: 'judged', status: verdict.status, detail } : undefined
}

/** The function is at fault, not the provider. */
const nonsense = (name: string, verdict: unknown): ProberError => ({
  kind: 'prober_error',
  reason: `the function ${name} answered ${show(verdict)}, expected a status, true, false or { status, detail }`,
})
