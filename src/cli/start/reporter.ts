import type { ProviderEvent } from '../../index.js'
import { addressLine, type FleetAddress } from '../url-file.js'
import { hideSecrets } from '../../view/format.js'
import type { ProviderView } from '../../view/provider-view.js'

/** How a running fleet is shown. */
export interface Reporter {
  /** How often `status` is wanted, ms. */
  readonly statusEveryMs: number
  /** Prints a line about the job itself. */
  note(text: string): void
  event(event: ProviderEvent): void
  status(views: readonly ProviderView[]): void
  /** The page of the fleet can be opened. Called before `ready`, once at most. */
  page(url: string): void
  /** Everything runs. Called once. */
  ready(address: FleetAddress): void
  close(): void
}

/** The line by which a script, or a person, can join. */
export const readyLine = ({ redis, namespace }: FleetAddress): string =>
  `ready ${addressLine({ redis: hideSecrets(redis), namespace })}`
