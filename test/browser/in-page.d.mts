export interface Seen {
  /** Texts of violations of the content policy. */
  readonly violations: readonly string[]
  /** Layout shifts that no key and no pointer made. */
  readonly shifts: readonly { readonly value: number; readonly at: number; readonly of: readonly string[] }[]
}

export function watch(): void
export function seen(): Seen
/** How much wider the page is than the window, px. */
export function overflow(): number
/** Interactive elements that cannot be seen or hit, by their text. */
export function outOfReach(): string[]
/** Elements that no view of the dashboard has. */
export function injected(): string[]
export function focused(): string
export function movingParts(): string[]
export function scrollToEnd(): void
/** Serious and critical findings of axe, which must be in the page. `rules`: of these alone. */
export function findings(rules: readonly string[] | undefined): Promise<string[]>
