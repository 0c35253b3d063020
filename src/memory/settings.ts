import { diffSettings, flattenSettings, type FlatSettings } from '../config/flat.js'
import type { SettingsReply } from '../model/ports/store-replies.js'
import type { RegisterRequest } from '../model/ports/store-requests.js'
import type { Settings } from '../model/settings.js'
import { judgeChange } from '../rules/alternation.js'
import type { MemoryProvider } from './provider.js'

/** A change of settings. `reason`: that of the event; undefined where none is announced. */
export interface ChangedSettings {
  readonly from: string
  readonly to: string
  readonly reason: string | undefined
}

/** Sets or releases the settings. Gives the change; undefined when there is none. Code does not replace pinned settings. */
export function changeSettings(
  provider: MemoryProvider,
  { mode, settings, byHand, worker }: RegisterRequest,
  nowMs: number,
): ChangedSettings | undefined {
  const { pinned } = provider
  const reason = byHand?.reason ?? ''
  if (mode === 'keep' || (pinned ? byHand === undefined : mode === 'release')) return undefined
  if (mode === 'release') {
    provider.pinned = false
    provider.revision += 1
    return { from: 'pinned=true', to: 'pinned=-', reason }
  }
  const flat = (of: Settings, pin: boolean) => ({
    ...flattenSettings(of),
    ...(pin ? { pinned: 'true' } : {}),
  })
  const changed = diffSettings(flat(provider.settings, pinned), flat(settings, byHand !== undefined))
  if (changed.from === changed.to) return undefined
  const announced = byHand === undefined ? byCode(provider, settings, nowMs) : { replaced: null, reason }
  provider.replaced = announced.replaced
  provider.settings = settings
  provider.revision += 1
  provider.setBy = byHand?.operator ?? worker
  provider.setAt = nowMs
  provider.pinned = byHand !== undefined
  return { ...changed, reason: announced.reason }
}

const byCode = ({ replaced, settings, setBy }: MemoryProvider, wanted: Settings, nowMs: number) =>
  judgeChange(replaced, {
    nowMs,
    before: asOne(flattenSettings(settings)),
    after: asOne(flattenSettings(wanted)),
    setBy,
  })

const asOne = (flat: FlatSettings): string =>
  Object.entries(flat)
    .map(([field, value]) => `${field}=${value}`)
    .sort()
    .join('\n')

export const settingsOf = (provider: MemoryProvider): SettingsReply => ({
  settings: provider.settings,
  revision: provider.revision,
  setBy: provider.setBy,
  setAt: provider.setAt,
  pinned: provider.pinned,
  // Only this version of Busbar writes here, so every setting can be read.
  unread: [],
})
