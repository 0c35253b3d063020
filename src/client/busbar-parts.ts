import type { Inspection } from '../model/inspection.js'
import type { SettingsInput } from '../model/settings.js'
import type { BusbarCore } from './busbar-core.js'
import type { AlertParts } from './fleet-alerts.js'
import type { ProbeParts } from './fleet-probes.js'

/** What `connect` puts together for a `Busbar`. */
export interface BusbarParts extends ProbeParts, AlertParts {
  readonly core: BusbarCore
  readonly namespace: string
  readonly defaults: SettingsInput
  workers(): Promise<Inspection['workers']>
  inspect(): Promise<Omit<Inspection, 'pausedProbeQueues'>>
}
