// A process of one version of Busbar: it probes, and calls its provider all the time while it is told to. What its logger
// says from `warn` on is kept.
import { join as path } from 'node:path'
import { pathToFileURL } from 'node:url'
import { job, serve } from './join.mjs'

const of = (file) => import(pathToFileURL(path(job.extra.folder, 'dist', file)).href)
const { connectWith } = await of('connect.js')

const said = []
const say = (level) => (fields, message) =>
  said.push({ level, message, problem: fields.problem ?? fields.reason ?? '' })
const logger = { debug: () => undefined, info: () => undefined, warn: say('warn'), error: say('error') }
const { redis, namespace, workerId, id } = job
const busbar = await connectWith({ redis, namespace, workerId, logger, commandTimeoutMs: 5_000 }, {})
const provider = await busbar.provider(id, job.settings)
await busbar.startProbes()

let timer
let made = 0

serve({
  /** Calls from now on: whether they fail; null: no more. */
  calls: (failing) => {
    clearInterval(timer)
    if (failing === null) return
    const call = () => (failing ? Promise.reject(new Error('down')) : Promise.resolve())
    timer = setInterval(() => {
      made += 1
      provider.execute(call).catch(() => undefined)
    }, 5)
  },
  record: (outcome) => provider.record(outcome),
  register: async (settings) => void (await busbar.provider(id, settings)),
  reset: () => provider.reset(),
  peek: () => provider.peek(),
  settings: () => provider.settings,
  problems: () => provider.settingsProblems,
  history: () => provider.history(),
  events: () => provider.events(),
  probe: () => busbar.probe(id),
  flush: () => busbar.flush(),
  said: () => said,
  seen: () => ({ made, ...busbar.counters }),
  join: async (other) => {
    const elsewhere = await connectWith({ redis, namespace: other, workerId, logger: false }, {})
    await elsewhere.close()
  },
})
