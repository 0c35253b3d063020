import type { HistoryEntry } from '../../model/snapshot.js'
import type { ProviderEvent } from '../../model/events.js'
import type { Outage } from '../../model/outage.js'
import type { probedSentence } from '../../view/action-words.js'
import type { Matrix } from '../../view/matrix.js'
import type { Received } from './fleet-state.js'

/** The API of the handler that serves this page. Every address is relative: the page knows not where it is mounted. */

export type Action = 'trip' | 'reset' | 'mark' | 'resume' | 'probe'

/** Why a request was not answered with what was asked for, in words. */
export class Problem extends Error {
  /** Of HTTP; 0 where nothing answered. */
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, detail: string) {
    super(detail)
    this.status = status
    this.code = code
  }
}

export interface ProviderDetail extends Received {
  readonly outages: readonly Outage[]
  readonly pausedProbeQueues: readonly string[]
}

export interface Worker {
  readonly id: string
  readonly lastSeenAgoMs: number
  readonly domain: string | null
}

/** The answer of `api/matrix`. */
export interface MatrixAnswer extends Matrix {
  readonly sentences: readonly string[]
  /** Asking sooner brings nothing new. */
  readonly nextInMs: number
}

/** A row of `api/schedules`. */
export interface Schedule {
  readonly id: string
  readonly intervalMs: number | null
  readonly planned: boolean
  readonly nextInMs: number | null
  readonly lateMs: number | null
  readonly why: string | null
  readonly queue: string | null
  readonly held: 'paused' | 'no_worker' | null
  readonly overdue: boolean
  readonly last: { readonly status: string; readonly detail: string; readonly agoMs: number } | null
}

/** How a health check by hand ended. */
export type Probed = Parameters<typeof probedSentence>[0]

const at = (id: string): string => `api/providers/${encodeURIComponent(id)}`

export const provider = (id: string): Promise<ProviderDetail> => ask(at(id))

export const history = async (id: string, count: number): Promise<readonly HistoryEntry[]> =>
  (await ask<{ history: readonly HistoryEntry[] }>(`${at(id)}/history?count=${count}`)).history

export const events = async (id: string, count: number): Promise<readonly ProviderEvent[]> =>
  (await ask<{ events: readonly ProviderEvent[] }>(`${at(id)}/events?count=${count}`)).events

export const workers = async (): Promise<readonly Worker[]> =>
  (await ask<{ workers: readonly Worker[] }>('api/workers')).workers

export const matrix = (): Promise<MatrixAnswer> => ask('api/matrix')

export const schedules = async (): Promise<readonly Schedule[]> =>
  (await ask<{ providers: readonly Schedule[] }>('api/schedules')).providers

/** Answers the provider afterwards; of a probe, how it ended. */
export const act = (id: string, action: Action, body: object): Promise<unknown> =>
  ask(`${at(id)}/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

/** Whether a stream would be given to this viewer; a browser does not tell why it was refused one. */
export const mayFollow = async (): Promise<Problem | undefined> => {
  try {
    const answer = await fetch('api/stream', { method: 'HEAD' })
    return answer.ok ? undefined : new Problem(answer.status, '', `HTTP ${answer.status}`)
  } catch {
    return unreached()
  }
}

const unreached = () => new Problem(0, 'unreached', 'nothing answers at the address of this page')

/** Advice for the person at the browser; the answer itself speaks to the program that embeds the handler. */
const SIGNED_OUT = 'You are not signed in any more: load this page again.'

async function ask<T>(address: string, init?: RequestInit): Promise<T> {
  const answer = await fetch(address, init).catch(() => undefined)
  if (answer === undefined) throw unreached()
  const body: unknown = await answer.json().catch(() => undefined)
  if (answer.ok && body !== undefined) return body as T // the server is of the same version as the page
  if (answer.status === 401) throw new Problem(401, 'unauthorized', SIGNED_OUT)
  const { code = '', detail = `HTTP ${answer.status}` } = (body ?? {}) as { code?: string; detail?: string }
  throw new Problem(answer.status, code, detail)
}
