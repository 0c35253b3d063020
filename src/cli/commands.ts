import type { Command } from 'commander'
import type { Cli } from './common.js'

/** Adds one command with its options, arguments and help. */
export type AddCommand = (program: Command, cli: Cli) => void

/**
 * Every command, in the order of the help. Each is loaded when it is called: most of the time a command takes is spent on
 * loading, and `busbar --version` needs no client of Redis.
 */
export const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  start: async () => (await import('./commands/start.js')).addStart,
  status: async () => (await import('./commands/status.js')).addStatus,
  explain: async () => (await import('./commands/explain.js')).addExplain,
  history: async () => (await import('./commands/history.js')).addHistory,
  events: async () => (await import('./commands/events.js')).addEvents,
  trip: async () => (await import('./commands/trip.js')).addTrip,
  reset: async () => (await import('./commands/reset.js')).addReset,
  mark: async () => (await import('./commands/mark.js')).addMark,
  resume: async () => (await import('./commands/resume.js')).addResume,
  probe: async () => (await import('./commands/probe.js')).addProbe,
  apply: async () => (await import('./commands/apply.js')).addApply,
  export: async () => (await import('./commands/export.js')).addExport,
  remove: async () => (await import('./commands/remove.js')).addRemove,
  watch: async () => (await import('./commands/watch.js')).addWatch,
  ui: async () => (await import('./commands/ui.js')).addUi,
  schedules: async () => (await import('./commands/schedules.js')).addSchedules,
  alerts: async () => (await import('./commands/alerts.js')).addAlerts,
  simulate: async () => (await import('./commands/simulate.js')).addSimulate,
  doctor: async () => (await import('./commands/doctor.js')).addDoctor,
}

/** The commands to load for a call: its own, none for the version, all for help and for an unknown name. */
export async function loadCommands([name = '']: readonly string[]): Promise<AddCommand[]> {
  if (name === '--version') return []
  const called = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  const needed = called === undefined ? Object.values(COMMANDS) : [called]
  return Promise.all(needed.map((load) => load()))
}
