import type { Inspection } from '../model/inspection.js'
import type { SettingsInput } from '../model/settings.js'
import type { BusbarCore } from './busbar-core.js'
import type { ProbeParts } from './fleet-probes.js'

/** What `connect` puts together. */
export interface BusbarParts extends ProbeParts {
  readonly core: BusbarCore
  readonly namespace: string
  readonly defaults: SettingsInput
  inspect(): Promise<Omit<Inspection, 'pausedProbeQueues'>>
}
