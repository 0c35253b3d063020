import type { PeerCertificate } from 'node:tls'
import type { UntimedFinding } from './explain.js'

const DAY_MS = 86_400_000

/**
 * Judges the certificate that the server showed, the last of its chain. Whether it is to be trusted was decided in the
 * handshake; here only its dates are looked at, by the clock of this worker, for no other is known.
 */
export function judgeCertificate(
  certificate: Pick<PeerCertificate, 'valid_from' | 'valid_to'>,
  minDaysToExpiry: number | undefined,
  nowMs: number,
): UntimedFinding {
  const fromMs = Date.parse(certificate.valid_from)
  const toMs = Date.parse(certificate.valid_to)
  if (Number.isNaN(fromMs) || Number.isNaN(toMs))
    return { kind: 'judged', status: 'unhealthy', detail: 'TLS: the server showed no certificate' }
  const days = Math.floor((toMs - nowMs) / DAY_MS)
  if (toMs <= nowMs)
    return {
      kind: 'judged',
      status: 'unhealthy',
      detail: `TLS: the certificate expired ${plural(-days)} ago`,
    }
  if (fromMs > nowMs)
    return { kind: 'judged', status: 'unhealthy', detail: 'TLS: the certificate is not valid yet' }
  const detail = `connected, the certificate expires in ${plural(days)}`
  if (minDaysToExpiry !== undefined && days < minDaysToExpiry)
    return { kind: 'judged', status: 'degraded', detail: `${detail}, fewer than ${minDaysToExpiry}` }
  return { kind: 'judged', status: 'healthy', detail }
}

const plural = (days: number): string => `${days} ${days === 1 ? 'day' : 'days'}`
