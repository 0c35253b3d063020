import { STALL_SHARE, WatchedWork } from '../client/shared/loop-watch.js'
import type { ProbeBeginning, ProbeRefusal } from '../client/probing/probe-ticket.js'
import type { NothingYet, ProberError, ProbeFinding, ProbeResult, ProbeSettings } from '../model/probe.js'
import type { Seen, UnreadProbe } from './read-provider.js'
import { LocalNetworkCheck } from './local-network-check.js'
import type { ProbeRunner } from './probe-runner.js'

/** How it went. Only a result says anything about the provider, and is recorded. */
export type Attempt =
  | { readonly result: ProbeResult; readonly trial: boolean }
  | { readonly refused: ProbeRefusal }
  | { readonly discarded: ProberError }
  | { readonly nothing: NothingYet }

/** A provider that is to be probed, by a worker that can. */
export type Found = Pick<Seen, 'provider' | 'snapshot'> & { readonly probe: ProbeSettings | UnreadProbe }

/** One that this process can probe. */
export type Probed = Pick<Seen, 'provider' | 'snapshot'> & { readonly probe: ProbeSettings }

/** Makes probes: from the leave to begin to the result in the store. */
export class Prober {
  readonly #runner: ProbeRunner
  readonly #loop = new WatchedWork()
  readonly #neighbours = new LocalNetworkCheck()

  constructor(runner: ProbeRunner) {
    this.#runner = runner
  }

  /** The same provider, if this process can make its probe; else why it cannot. */
  able(found: Found): Probed | ProberError {
    const { probe } = found
    if (probe.kind === 'unread') return { prober: true, reason: probe.problem }
    return this.#runner.unable(probe) ?? { ...found, probe }
  }

  /**
   * `made`: called once nothing is asked of the provider any more.
   * @throws RedisUnavailableError, ProviderRemovedError
   */
  async attempt(
    probed: Probed,
    when: Omit<ProbeBeginning, 'timeoutMs'>,
    made?: () => void,
  ): Promise<Attempt> {
    const { provider, snapshot, probe } = probed
    const admission = await provider.beginProbe({ ...when, timeoutMs: probe.timeoutMs })
    if ('refused' in admission) return admission
    const { ticket } = admission
    // The admission vouches for the settings in force when it was given, and those that were read are to be the same.
    if (provider.settingsRevision !== snapshot.settingsRevision) {
      await ticket.abandon()
      return { refused: SETTINGS_CHANGED }
    }
    const finding = await this.#find(probed)
    made?.()
    if ('status' in finding) {
      provider.noteProbe(probe.kind, finding)
      await ticket.finish(finding)
      return { result: finding, trial: ticket.trial }
    }
    // It says nothing about the provider; the lease, if there was one, goes back.
    await ticket.abandon()
    return 'prober' in finding ? { discarded: finding } : { nothing: finding }
  }

  /** Runs it, and sees whether what was found is the provider's own doing. */
  async #find({ provider, snapshot, probe }: Probed): Promise<ProbeFinding> {
    const subject = { providerId: provider.id, heard: snapshot, settingsSetAt: provider.stored.setAt }
    const { value: finding, stalledMs } = await this.#loop.during(() => this.#runner.run(probe, subject))
    if (!('status' in finding)) return finding
    if (isOwnDelay(probe, finding, stalledMs)) {
      return {
        prober: true,
        discard: 'stalled',
        reason: 'the event loop of this worker stood still while it waited for the answer',
      }
    }
    if (finding.status === 'healthy' || finding.status === 'degraded') {
      if (finding.viaProxy !== true) this.#neighbours.answered(probe)
      return finding
    }
    const { suspectLocal } = finding
    if (suspectLocal !== undefined && (await this.#neighbours.allUnreachable(probe, suspectLocal))) {
      const reason = `this worker reaches no other host either (${finding.detail})`
      return { prober: true, discard: 'network', reason }
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
  if (probe.kind === 'heartbeat') return false // by Redis's clock alone
  if (status === 'timeout') return stalledMs > probe.timeoutMs * STALL_SHARE
  const slowMs = 'degradedMs' in probe ? probe.degradedMs : undefined
  return (
    status === 'degraded' && slowMs !== undefined && elapsedMs > slowMs && elapsedMs - stalledMs <= slowMs
  )
}
