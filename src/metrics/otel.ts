/** `busbar/otel`: calls, refusals and transitions of a process, for OpenTelemetry. */
import { metrics, trace, type Meter } from '@opentelemetry/api'
import type { Busbar } from '../client/busbar.js'
import { resultOf } from '../client/shared/provider-meter.js'
import { checkArgument } from '../config/check.js'
import { otelSchema } from '../config/metrics.js'
import type { ProviderEvent } from '../model/events.js'
import type { DecisionObservation, OutcomeObservation } from '../model/observations.js'
import { packageVersion } from '../package/version.js'
import { metricsSource } from './metrics-source.js'

export interface OtelOptions {
  /** Default: that of the global meter provider, by the name `busbar`. */
  readonly meter?: Meter | undefined
}

const TRANSITIONS: ReadonlySet<string> = new Set(['opened', 'half_opened', 'closed', 'reset'])

/**
 * Counts in instruments of OpenTelemetry from now on: `busbar.calls`, `busbar.call.duration` (s), `busbar.refusals` and
 * `busbar.transitions`, each of what this very process did, so that the fleet is the sum. A refusal is also an event,
 * `busbar.refused`, on the active span. Returns what ends it. @throws ArgumentError
 */
export function register(busbar: Busbar, options: OtelOptions = {}): () => void {
  checkArgument(otelSchema, options, 'register')
  const source = metricsSource(busbar)
  const instruments = instrumentsOf(options.meter ?? metrics.getMeter('busbar', packageVersion()))
  source.observe({
    outcome: (outcome) => countOutcome(instruments, outcome),
    decision: (decision) => countDecision(instruments, decision),
  })
  source.onEvent((event) => countTransition(instruments, event, source.workerId))
  return () => source.stop()
}

type Instruments = ReturnType<typeof instrumentsOf>

function instrumentsOf(meter: Meter) {
  return {
    calls: meter.createCounter('busbar.calls', { description: 'Calls that ended.', unit: '{call}' }),
    duration: meter.createHistogram('busbar.call.duration', {
      description: 'How long calls took.',
      unit: 's',
    }),
    refusals: meter.createCounter('busbar.refusals', {
      description: 'Calls that were refused.',
      unit: '{call}',
    }),
    transitions: meter.createCounter('busbar.transitions', {
      description: 'Transitions of circuits that this process made.',
      unit: '{transition}',
    }),
  }
}

function countOutcome({ calls, duration }: Instruments, observed: OutcomeObservation): void {
  const { provider, outcome, ms, origin } = observed
  if (origin !== 'call') return
  calls.add(1, { 'busbar.provider': provider, 'busbar.outcome': outcome })
  // Of `record()` it is not known.
  if (ms > 0) duration.record(ms / 1_000, { 'busbar.provider': provider, 'busbar.result': resultOf(outcome) })
}

function countDecision(
  { refusals }: Instruments,
  { provider, admitted, code, source }: DecisionObservation,
): void {
  if (admitted || code === null) return
  const attributes = { 'busbar.provider': provider, 'busbar.code': code, 'busbar.source': source }
  refusals.add(1, attributes)
  trace.getActiveSpan()?.addEvent('busbar.refused', attributes)
}

function countTransition({ transitions }: Instruments, event: ProviderEvent, worker: string): void {
  if (event.worker !== worker || !TRANSITIONS.has(event.kind)) return
  transitions.add(1, { 'busbar.provider': event.providerId, 'busbar.kind': event.kind })
}
