import { maskSecrets } from '../config/mask.js'
import { resolveSettings } from '../config/settings.js'
import type { SettingsReply } from '../model/ports/store-replies.js'
import type { Settings } from '../model/settings.js'

/** What `busbar.apply()` would do to one provider. */
export interface SettingsPlan {
  readonly id: string
  /** The process or person that set those in force; null when the provider is not registered. */
  readonly setBy: string | null
  /** Whether those in force outrank code already. */
  readonly pinned: boolean
  /** One a setting that differs (from the built-in defaults, where the provider is not registered), by path; values as JSON with secrets masked, null where there is none. */
  readonly changes: readonly SettingChange[]
}

export interface SettingChange {
  readonly path: string
  readonly from: string | null
  readonly to: string | null
}

export function planSettings(id: string, stored: SettingsReply | null, wanted: Settings): SettingsPlan {
  const current = stored?.settings ?? resolveSettings()
  const [before, after] = [leaves(current), leaves(wanted)]
  const [shownBefore, shownAfter] = [leaves(maskSecrets(current)), leaves(maskSecrets(wanted))]
  const paths = [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path),
  )
  const changes = paths.map((path) => ({
    path,
    from: shownBefore.get(path) ?? null,
    to: shownAfter.get(path) ?? null,
  }))
  return { id, setBy: stored?.setBy ?? null, pinned: stored?.pinned ?? false, changes }
}

/** Every value under its path, as JSON; lists are values. */
function leaves(value: object, at = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
    const path = at === '' ? key : `${at}.${key}`
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) {
      for (const [deeper, text] of leaves(inner, path)) found.set(deeper, text)
    } else if (inner !== undefined) found.set(path, JSON.stringify(inner))
  }
  return found
}
