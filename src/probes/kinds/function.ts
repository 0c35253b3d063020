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
import type { Finding } from './explain.js'
import { codeName, NO_ADDRESS, unregistered, type KindOfProbe, type ProbeTime } from './kind.js'
import { timed } from './timed.js'
import { messageOf, oneLine, settleWithin, type Settlement } from './within.js'

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
        return { status: 'timeout' as const, detail }
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
  code: ({ name }) => codeName('function', name),
  judgesSnapshot: false,
}

function judge(name: string, timeoutMs: number, ended: Settlement<ProbeVerdict>): Finding {
  switch (ended.how) {
    case 'late':
      return { status: 'timeout', detail: `the function ${name} did not end within ${timeoutMs} ms` }
    case 'threw':
      return { status: 'unhealthy', detail: messageOf(ended.error) }
    case 'answered':
      return readVerdict(ended.value) ?? nonsense(name, ended.value)
    default:
      return ended satisfies never
  }
}

/** JavaScript does not hold a function to its type. */
function readVerdict(verdict: unknown): Finding | undefined {
  if (verdict === true) return { status: 'healthy', detail: '' }
  if (verdict === false) return { status: 'unhealthy', detail: '' }
  if (isHealthStatus(verdict)) return { status: verdict, detail: '' }
  if (typeof verdict !== 'object' || verdict === null || !('status' in verdict)) return undefined
  const detail =
    'detail' in verdict && typeof verdict.detail === 'string' ? oneLine(redactText(verdict.detail)) : ''
  return isHealthStatus(verdict.status) ? { status: verdict.status, detail } : undefined
}

/** The function is at fault, not the provider. */
const nonsense = (name: string, verdict: unknown): ProberError => ({
  prober: true,
  reason: `the function ${name} answered ${show(verdict)}, expected a status, true, false or { status, detail }`,
})
