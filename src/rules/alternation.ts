/**
 * Two versions of a program that register one provider in turn (a rolling deploy). The settings follow each of them,
 * because all processes must judge alike. The event comes once a minute, or it would fill the stream. The twin of
 * `lua/lib/alternation.lua`.
 */

/** The last change by code, as far as it is kept. */
export interface Replaced {
  /** The settings that were replaced, as one text. */
  readonly settings: string
  /** When the last change was announced, ms. */
  readonly announcedAtMs: number
  /** Changes since then that were not announced. */
  readonly unannounced: number
}

export interface SettingsChange {
  readonly nowMs: number
  readonly before: string
  readonly after: string
  /** The worker or operator that set the settings which are replaced now. */
  readonly setBy: string
}

export const ANNOUNCE_EVERY_MS = 60_000

/** `reason` is that of the event; undefined where none is announced. */
export function judgeChange(
  last: Replaced | null,
  { nowMs, before, after, setBy }: SettingsChange,
): { readonly replaced: Replaced; readonly reason: string | undefined } {
  const back = last?.settings === after ? last : undefined
  const unannounced = back?.unannounced ?? 0
  if (back !== undefined && nowMs - back.announcedAtMs < ANNOUNCE_EVERY_MS) {
    const { announcedAtMs } = back
    return { replaced: { settings: before, announcedAtMs, unannounced: unannounced + 1 }, reason: undefined }
  }
  const replaced = { settings: before, announcedAtMs: nowMs, unannounced: 0 }
  if (unannounced === 0) return { replaced, reason: '' }
  const changes = `${unannounced + 1} changes since the last event`
  return { replaced, reason: `alternates with the settings of ${setBy}: ${changes}` }
}
