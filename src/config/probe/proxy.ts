import * as v from 'valibot'
import { refuse } from '../check.js'
import { BROKEN_REFERENCE, hasBrokenReference, replaceReferences } from '../references.js'

const PROXY_ERROR = 'expected env, none, or the http: or https: URL of a proxy'
const URL_OF_PROXY = /^https?:\/\/(?:[^/]*@)?([^/@]+)\/?$/i

/** True for the address of a proxy, with nothing behind host and port. */
export function isProxyUrl(text: string): boolean {
  const [, host = ''] = URL_OF_PROXY.exec(text) ?? []
  // A reference may stand for user or password only: host and port must be in the settings.
  if (host === '' || host.includes('$') || /[?#]/.test(host)) return false
  const plain = replaceReferences(text, () => 'x')
  return URL.canParse(plain) && new URL(plain).port !== '0'
}

const MAX_LENGTH = 1_024

/** A value with an `@` is never shown: a password may stand before it. */
export const proxy = v.pipe(
  v.string(PROXY_ERROR),
  refuse((value) => {
    if (value === 'env' || value === 'none') return undefined
    const message = hasBrokenReference(value) ? BROKEN_REFERENCE : PROXY_ERROR
    if (message === PROXY_ERROR && value.length <= MAX_LENGTH && isProxyUrl(value)) return undefined
    return { message, complete: value.includes('@') }
  }),
)
