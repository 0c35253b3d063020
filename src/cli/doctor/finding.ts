/** How grave a finding is. `ok`: no problem. `note`: good to know. `warn`: a problem later. `fail`: a problem now. */
export const LEVELS = ['ok', 'note', 'warn', 'fail'] as const
export type Level = (typeof LEVELS)[number]

/** The result of one check. */
export interface Finding {
  readonly check: string
  readonly level: Level
  readonly found: string
  /** Advice; empty when there is nothing to do. */
  readonly advice: string
}

export const ok = (check: string, found: string): Finding => ({ check, level: 'ok', found, advice: '' })

export const finding = (level: Level, check: string, found: string, advice: string): Finding => ({
  check,
  level,
  found,
  advice,
})

export const worst = (findings: readonly Finding[]): Level =>
  LEVELS[Math.max(0, ...findings.map(({ level }) => LEVELS.indexOf(level)))] ?? 'ok'
