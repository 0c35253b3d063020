/** What went wrong on the way to a provider, in a few words for an operator. */
export function explainError(error: unknown): string {
  const code = codeOf(error)
  const known = WORDS[code]
  if (known !== undefined) return known
  if (code.startsWith('HPE_')) return 'the answer is not HTTP'
  if (TLS_CODE.test(code)) return `TLS: ${code.toLowerCase().replaceAll('_', ' ')}`
  const message = error instanceof Error ? error.message : String(error)
  return `request failed: ${code === '' ? message : code}`.slice(0, MAX_LENGTH)
}

const MAX_LENGTH = 120

const TLS_CODE = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|EPROTO$)/

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection closed early',
  EPIPE: 'connection closed early',
  ENOTFOUND: 'host not found',
  EAI_AGAIN: 'host name could not be resolved',
  EAI_FAIL: 'host name could not be resolved',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'connection timed out',
  EMFILE: 'this process has too many open files',
  HPE_HEADER_OVERFLOW: 'the headers of the answer are too large',
}

/** A host with several addresses fails with an AggregateError, which bears the code of the first. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}
