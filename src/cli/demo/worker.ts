// A worker as you would write one: it calls three upstreams through Busbar, and shares what it learns with every
// other worker. Arguments: its name, Redis, the namespace, and one URL for each upstream.
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, isBusbarError, type Provider } from '../../index.js'
import { endWithParent, tellParent } from './parent.js'
import { SAMPLES, settingsFor } from './samples.js'

const [name, redis = '', namespace, ...urls] = process.argv.slice(2)

// One connection for the whole process. The machine is busy while all these processes start, so Redis gets more time
// to answer than the usual 200 ms.
const busbar = await connect({
  redis,
  namespace,
  workerId: `${name}-${process.pid}`,
  commandTimeoutMs: 2_000,
  logger: false,
})
endWithParent(() => busbar.close({ timeoutMs: 1_000 }))

// Every worker registers the same settings: the first one writes them, for the others nothing changes.
const providers = new Map<string, Provider>()
for (const [index, id] of SAMPLES.entries()) {
  const url = urls[index] ?? ''
  providers.set(url, await busbar.provider(id, settingsFor(url)))
}

// This process also runs probes. The fleet probes once per interval, however many processes do this.
await busbar.startProbes()

for (const [url, provider] of providers) void callForever(provider, url)
tellParent('ready')

async function callForever(provider: Provider, url: string): Promise<void> {
  for (;;) {
    try {
      // Busbar judges the call by the status of the response: a 503 is a failure without any further code.
      const response = await provider.execute(({ signal }) => fetch(url, { signal }), { timeoutMs: 2_000 })
      await response.text()
    } catch (error) {
      // Most often the circuit is open, and nothing was called: a real worker would do without, or queue it for later.
      if (isBusbarError(error, 'busbar_closed')) return
    }
    await sleep(300 + Math.random() * 200)
  }
}
