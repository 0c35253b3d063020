import { redactText } from '../../model/redact.js'
import type { JudgedProvider, LocalSuspicion, ProberError } from '../../model/probe.js'
import { toText } from '../../model/text.js'

/** A result before it is known how long it took. */
export type UntimedFinding = Omit<JudgedProvider, 'elapsedMs'> | ProberError

/** What went wrong on the way to a provider: whose fault it is, or may be. */
export function failure(error: unknown): UntimedFinding {
  const code = codeOf(error)
  if (OURS.has(code)) return { kind: 'prober_error', reason: explainError(error) }
  const finding = { kind: 'judged', status: 'unhealthy', detail: explainError(error) } as const
  const suspectLocal = PERHAPS_OURS[code]
  return suspectLocal === undefined ? finding : { ...finding, suspectLocal }
}

/** This process has no more files, sockets, ports or processes: that says nothing about any provider. */
const OURS: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL'])

/** The provider may be gone, or the network of this host. */
const PERHAPS_OURS: Readonly<Record<string, LocalSuspicion>> = {
  ENETUNREACH: 'network',
  ENETDOWN: 'network',
  ENOTFOUND: 'name_resolution',
  EAI_AGAIN: 'name_resolution',
}

/** What went wrong, in a few words for an operator. */
export function explainError(error: unknown): string {
  const code = codeOf(error)
  const known = WORDS[code]
  if (known !== undefined) return known
  if (code.startsWith('HPE_')) return 'the answer is not HTTP'
  if (TLS_CODE.test(code)) return `TLS: ${code.toLowerCase().replaceAll('_', ' ')}`
  const message = error instanceof Error ? error.message : String(error)
  return toText(`request failed: ${code === '' ? redactText(message) : code}`, MAX_LENGTH)
}

const MAX_LENGTH = 120

const TLS_CODE = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|EPROTO$)/

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection closed early',
  EPIPE: 'connection closed early',
  ENOENT: 'there is no such socket',
  ENOTFOUND: 'host not found',
  EAI_AGAIN: 'host name could not be resolved',
  EAI_FAIL: 'host name could not be resolved',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENETDOWN: 'network unreachable',
  ETIMEDOUT: 'connection timed out',
  EMFILE: 'this process has too many open files',
  ENFILE: 'this host has too many open files',
  ENOBUFS: 'this host has no memory left for sockets',
  ENOMEM: 'this host has no memory left',
  EADDRNOTAVAIL: 'this host has no local port left',
  HPE_HEADER_OVERFLOW: 'the headers of the answer are too large',
  NOT_HTTP2: 'the server does not speak HTTP/2',
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 'the server does not speak HTTP/2',
}

/** A host with several addresses fails with an AggregateError, which has the code of the first. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}
