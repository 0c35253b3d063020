/**
 * `${env:NAME}` in a setting: Redis and every display hold the reference; the process that probes puts the value of
 * its own environment in its place, at the moment of the probe.
 */
const REFERENCE = /\$\{env:([A-Za-z_][A-Za-z0-9_]{0,127})\}/g

/** What looks like a reference and is none: it would be sent as it stands. */
export const hasBrokenReference = (text: string): boolean => text.replace(REFERENCE, '').includes('${')

export const BROKEN_REFERENCE = 'expected references to environment variables as ${env:NAME}'

/** Each reference replaced by what `valueOf` answers for its variable. */
export const replaceReferences = (text: string, valueOf: (variable: string) => string): string =>
  text.replace(REFERENCE, (_all, variable: string) => valueOf(variable))

/** Names of the variables that `text` refers to. */
export const referencesIn = (text: string): string[] =>
  [...text.matchAll(REFERENCE)].map(([, variable = '']) => variable)

/** True for a line of Latin-1, tabs included: the only values that a header can carry. */
export const isSendable = (value: string): boolean => /^[\t\x20-\x7e\x80-\xff]*$/.test(value)

/** Words that stand before a secret and are none themselves. */
const SCHEME = /^(Bearer|Basic|Token|ApiKey|Key) $/i

/** A value that may be a secret, for a person to see: its references, and `***` for the rest. */
export function maskValue(text: string): string {
  let end = 0
  let shown = ''
  for (const found of text.matchAll(REFERENCE)) {
    shown += maskLiteral(text.slice(end, found.index)) + found[0]
    end = found.index + found[0].length
  }
  return shown + maskLiteral(text.slice(end))
}

const maskLiteral = (text: string): string => (text === '' || SCHEME.test(text) ? text : '***')
