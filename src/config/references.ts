/**
 * References, `${env:NAME}`, in settings. Redis and every display hold the reference. The process that probes replaces it
 * by the value of its own environment, at the moment of the probe.
 */
const REFERENCE = /\$\{env:([A-Za-z_][A-Za-z0-9_]{0,127})\}/g

/** Text that looks like a reference and is none. It is refused, because it would be sent as it stands. */
export const hasBrokenReference = (text: string): boolean => text.replace(REFERENCE, '').includes('${')

export const BROKEN_REFERENCE = 'expected references to environment variables as ${env:NAME}'

/** Replaces each reference by the answer of `valueOf` for its variable. */
export const replaceReferences = (text: string, valueOf: (variable: string) => string): string =>
  text.replace(REFERENCE, (_all, variable: string) => valueOf(variable))

/** Names of the variables that `text` refers to. */
export const referencesIn = (text: string): string[] =>
  [...text.matchAll(REFERENCE)].map(([, variable = '']) => variable)

/** True for a line of Latin-1, tabs included: the only values that a header can carry. */
export const isSendable = (value: string): boolean => /^[\t\x20-\x7e\x80-\xff]*$/.test(value)

/** Words before a secret that are none themselves, such as `Bearer`. */
const SCHEME = /^(Bearer|Basic|Token|ApiKey|Key) $/i

/** Masks a value that may be a secret: its references stay, and `***` stands for the rest. */
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
