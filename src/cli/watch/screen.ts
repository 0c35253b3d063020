import type { ProviderEvent } from '../../index.js'
import type { FleetView } from '../selection.js'

/** A line about the command itself, among the events. */
export interface Note {
  /** ms since 1970. */
  readonly at: number
  readonly text: string
}

/** The content of the screen at one moment. */
export interface Scene extends FleetView {
  /** The newest events, oldest first. */
  readonly events: readonly (ProviderEvent | Note)[]
  /** Why Redis could not be read, and since when (`performance.now()`); undefined while it answers. */
  readonly away: { readonly why: string; readonly since: number } | undefined
}

/** The output of `busbar watch`. */
export interface Screen {
  /** Whether it is drawn again when only time has passed (a countdown), or only at changes. */
  readonly live: boolean
  draw(scene: Scene): void
  close(): void
}
