// A process that sends alerts: `extra.alerts` is what it is told to.
import { callerActions, job, join, serve } from './join.mjs'

const lines = []
const write = (fields, message) =>
  void lines.push(JSON.stringify({ ...fields, err: String(fields.err), message }))
const logger = { debug: write, info: write, warn: write, error: write }
const { busbar, provider } = await join({ logger, consistency: 'cached' })
await busbar.startAlerts(job.extra.alerts)

serve({ ...callerActions(busbar, provider), lines: () => lines })
