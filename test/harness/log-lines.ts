import type { Logger } from '../../src/index.js'

/** What Busbar said above `debug`, in order. */
export interface Said {
  readonly logger: Logger
  readonly lines: {
    readonly level: 'info' | 'warn' | 'error'
    readonly message: string
    readonly fields: object
  }[]
  /** `warn message`, in order. */
  words(): string[]
}

/** A logger that keeps every line of level `info` and above. */
export function keepLines(): Said {
  const lines: Said['lines'] = []
  const keep = (level: 'info' | 'warn' | 'error') => (fields: object, message: string) =>
    void lines.push({ level, message, fields })
  return {
    lines,
    words: () => lines.map(({ level, message }) => `${level} ${message}`),
    logger: { debug: () => undefined, info: keep('info'), warn: keep('warn'), error: keep('error') },
  }
}

/** The two lines of an outage. */
export const BEGAN = 'warn Redis does not answer: deciding without it'
export const ENDED = 'info Redis answers again'
export const WRITES_REFUSED = 'warn Redis refuses writes: deciding without it'
export const WRITES_TAKEN = 'info Redis takes writes again'
export const LOCKED_OUT = 'warn Redis does not let this process in: deciding without it'
export const LET_IN = 'info Redis lets this process in again'
/** The two lines of one provider that Redis refuses for good. */
export const CUT_OFF = 'warn Redis refuses the commands of a provider: deciding without it'
export const TAKEN_AGAIN = 'info Redis takes the commands of a provider again'
