// A worker whose logger and listeners all fail, each in its own way. It must live, and lose nothing.
import { callerActions, job, join, serve } from './join.mjs'

const failing = {
  throws: () => {
    throw new Error('on purpose')
  },
  rejects: () => Promise.reject(new Error('on purpose')),
}
const fail = failing[job.extra.how]
const { busbar, provider } = await join({ logger: { debug: fail, info: fail, warn: fail, error: fail } })
const heard = []
for (const kind of job.extra.kinds) {
  busbar.on(kind, fail)
  busbar.on(kind, (event) => heard.push(event))
}

serve({ ...callerActions(busbar, provider), heard: () => heard })
