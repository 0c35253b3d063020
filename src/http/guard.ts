import { Refused } from './problem.js'

/** Headers of every answer: nothing from elsewhere runs in a page, and nothing elsewhere shows it. */
export function securityHeaders(frameAncestors: readonly string[] | undefined): Record<string, string> {
  const csp = [
    `default-src 'self'`,
    `base-uri 'none'`,
    `object-src 'none'`,
    `form-action 'self'`,
    `frame-ancestors ${frameAncestors?.join(' ') ?? `'none'`}`,
  ].join('; ')
  return {
    'content-security-policy': csp,
    'x-content-type-options': 'nosniff',
    // An older browser knows this one alone, and it can name no other site.
    ...(frameAncestors === undefined ? { 'x-frame-options': 'DENY' } : {}),
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
  }
}

/**
 * Refuses a write that a page of another site sent. A browser says so in one of two headers, neither of which a page can
 * set; a program sends neither, and its rights are the business of `authorize`.
 */
export function assertSameSite(request: Request): void {
  const site = request.headers.get('sec-fetch-site')
  if (site !== null && site !== 'same-origin' && site !== 'none') {
    throw new Refused('cross_site', `Sec-Fetch-Site is ${site}, which is not same-origin`)
  }
  const origin = request.headers.get('origin')
  if (origin === null) return
  const host = hostOf(request)
  if (hostOfOrigin(origin) !== host) {
    const advice = 'a proxy in between must pass the Host header on'
    throw new Refused('cross_site', `Origin is not the Host of this request, ${host}; ${advice}`)
  }
}

/** The Host that the client asked for, without the port that is usual. */
export const hostOf = (request: Request): string => {
  const { host, protocol } = new URL(request.url)
  const named = request.headers.get('host')
  if (named === null) return host
  try {
    return new URL(`${protocol}//${named}`).host
  } catch {
    return host
  }
}

function hostOfOrigin(origin: string): string | undefined {
  try {
    return new URL(origin).host
  } catch {
    return undefined // `null`: a page of no origin, such as one in a sandbox
  }
}
