/** What the rules do with calls, offline. See `docs/choosing-rules.md`. */
export type { SimulatedEvent, SimulationResult } from './result.js'
export { builtInSettings, simulate } from './simulate.js'
export {
  SCENARIOS,
  type HistorySource,
  type ScenarioName,
  type ScenarioOptions,
  type SimulationSource,
  type TraceCall,
  type TraceSource,
} from './source.js'
export { parseTraceLine } from './trace.js'
