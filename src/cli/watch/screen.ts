import type { ProviderEvent } from '../../index.js'
import type { FleetView } from '../selection.js'

/** What is to be seen at one moment. */
export interface Scene extends FleetView {
  /** The newest events, oldest first. */
  readonly events: readonly ProviderEvent[]
  /** Why Redis could not be read, and since when (`performance.now()`); undefined while it answers. */
  readonly away: { readonly why: string; readonly since: number } | undefined
}

/** Where `busbar watch` is shown. */
export interface Screen {
  /** Whether it wants what only time changes too (a countdown), or changes alone. */
  readonly live: boolean
  draw(scene: Scene): void
  close(): void
}
