import type { Logger } from '../client/shared/log.js'
import { STALL_SHARE, WatchedWork } from '../client/shared/loop-watch.js'
import type { ProbeBeginning, ProbeRefusal } from '../client/probing/probe-ticket.js'
import type { NothingYet, ProberError, ProbeFinding, ProbeResult, ProbeSettings } from '../model/probe.js'
import { kindOf } from './kinds.js'
import type { Seen, UnreadProbe } from './read-provider.js'
import { LocalNetworkCheck } from './local-network-check.js'
import type { ProbeRunner } from './probe-runner.js'

/** How a turn of a probe ended. Only `judged` says anything about the provider, and is recorded. */
export type ProbeEnd =
  | { readonly kind: 'judged'; readonly result: ProbeResult; readonly trial: boolean }
  | { readonly kind: 'refused'; readonly refusal: ProbeRefusal }
  | ProberError
  | NothingYet

/** A provider that is to be probed, by a worker that can. */
export type Found = Pick<Seen, 'provider' | 'snapshot'> & { readonly probe: ProbeSettings | UnreadProbe }

/** A provider that this process can probe. */
export type Probed = Pick<Seen, 'provider' | 'snapshot'> & { readonly probe: ProbeSettings }

/** Whether this process can make the probe of a provider, or why not. */
export type Ability = { readonly kind: 'able'; readonly probed: Probed } | ProberError

/** Makes probes: from the leave to begin to the result in the store. */
export class Prober {
  readonly #runner: ProbeRunner
  readonly #loop = new WatchedWork()
  readonly #localNetwork = new LocalNetworkCheck()

  constructor(runner: ProbeRunner) {
    this.#runner = runner
  }

  /** The same provider, if this process can make its probe; else why it cannot. */
  able(found: Found): Ability {
    const { probe } = found
    if (probe.kind === 'unread') return { kind: 'prober_error', reason: probe.problem }
    return this.#runner.unable(probe) ?? { kind: 'able', probed: { ...found, probe } }
  }

  /**
   * `made`: called once nothing is asked of the provider any more.
   * @throws RedisUnavailableError, ProviderRemovedError
   */
  async probe(probed: Probed, when: Omit<ProbeBeginning, 'timeoutMs'>, made?: () => void): Promise<ProbeEnd> {
    const { provider, snapshot, probe } = probed
    const admission = await provider.beginProbe({ ...when, timeoutMs: probe.timeoutMs })
    if (admission.kind === 'refused') return admission
    const { ticket } = admission
    // The admission vouches for the settings in force when it was given, and those that were read are to be the same.
    if (provider.settingsRevision !== snapshot.settingsRevision) {
      await ticket.abandon()
      return { kind: 'refused', refusal: SETTINGS_CHANGED }
    }
    const finding = await this.#find(probed)
    made?.()
    if (finding.kind === 'judged') {
      provider.noteProbe(probe.kind, finding)
      await ticket.finish(finding)
      const { kind, ...result } = finding
      return { kind, result, trial: ticket.trial }
    }
    // It says nothing about the provider; the lease, if there was one, goes back.
    await ticket.abandon()
    return finding
  }

  /** Runs it, and sees whether what was found is the provider's own doing. */
  async #find({ provider, snapshot, probe }: Probed): Promise<ProbeFinding> {
    const subject = { providerId: provider.id, heard: snapshot, settingsSetAt: provider.stored.setAt }
    const { value: finding, stalledMs } = await this.#loop.during(() => this.#runner.run(probe, subject))
    if (finding.kind !== 'judged') return finding
    if (isOwnDelay(probe, finding, stalledMs)) {
      return {
        kind: 'prober_error',
        discard: 'stalled',
        reason: 'the event loop of this worker stood still while it waited for the answer',
      }
    }
    if (finding.status === 'healthy' || finding.status === 'degraded') {
      if (finding.viaProxy !== true) this.#localNetwork.answered(probe)
      return finding
    }
    const { suspectLocal } = finding
    if (suspectLocal !== undefined && (await this.#localNetwork.allUnreachable(probe, suspectLocal))) {
      {
        const reason = `this worker reaches no other host either (${finding.detail})`
        return { kind: 'prober_error', discard: 'network', reason }
      }
    }
    return finding
  }
}

const SETTINGS_CHANGED: ProbeRefusal = {
  code: 'settings_changed',
  reason: 'its settings changed this very moment; try again',
  retryAfterMs: null,
}

/** Whether the worker's own standstill may have made it late, or slow. */
function isOwnDelay(probe: ProbeSettings, { status, elapsedMs }: ProbeResult, stalledMs: number): boolean {
  if (kindOf(probe.kind).judgesSnapshot) return false // by Redis's clock alone
  if (status === 'timeout') return stalledMs > probe.timeoutMs * STALL_SHARE
  const slowMs = 'degradedMs' in probe ? probe.degradedMs : undefined
  return (
    status === 'degraded' && slowMs !== undefined && elapsedMs > slowMs && elapsedMs - stalledMs <= slowMs
  )
}

/** Writes the end of a turn to the log, for a person who looks for it there. Errors of the prober have a log of their own. */
export function logEnd(log: Logger, id: string, end: Exclude<ProbeEnd, ProberError>): void {
  switch (end.kind) {
    case 'judged':
      log.debug({ provider: id, ...end.result }, 'probe tick')
      return
    case 'refused':
      log.debug({ provider: id, ...end.refusal }, 'probe not begun')
      return
    case 'nothing_yet':
      log.debug({ provider: id, reason: end.reason }, 'probe tick without a finding')
      return
    default:
      end satisfies never
  }
}
