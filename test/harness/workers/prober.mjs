// A process that runs probes. With `extra.functions` it has functions of these names, which say yes at once.
import { callerActions, job, join, serve } from './join.mjs'

const { busbar, provider } = await join({ consistency: 'cached' })
const names = job.extra?.functions ?? []
await busbar.startProbes({ functions: Object.fromEntries(names.map((name) => [name, () => true])) })

/** Stands still for `ms`: no timer and no answer comes through meanwhile. */
function block(ms) {
  for (const until = performance.now() + ms; performance.now() < until;);
}

serve({ ...callerActions(busbar, provider), block })
