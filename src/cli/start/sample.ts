import { connect } from '../../index.js'
import { withTimeout } from '../../model/timeout.js'
import { CODE_FOLDER } from '../../package/location.js'
import { SAMPLES } from '../demo/samples.js'
import { CliError, EXIT } from '../failure.js'
import type { FleetAddress } from '../url-file.js'
import { writeReady } from './write-ready.js'
import { reportEvents, reportStatus } from './follow.js'
import type { Shutdown } from './shutdown.js'
import type { Reporter } from './reporter.js'
import { startPrivateRedis } from './private-redis.js'
import { openPage } from './open-page.js'
import { Supervisor } from './supervisor.js'
import type { UiOptions } from '../ui/serve-ui.js'

const NAMESPACE = 'busbar-demo'
const WORKERS = 4
const READY_WITHIN_MS = 20_000

/** A program of `src/cli/demo/`, as the build names it. */
const programOf = (name: 'upstreams' | 'worker') => new URL(`cli/demo-${name}.js`, CODE_FOLDER)

/** The sample job: a Redis of its own, three upstreams in a process of their own, four workers that call them. */
export async function runSample(shutdown: Shutdown, reporter: Reporter, options: UiOptions): Promise<void> {
  const redis = await startPrivateRedis(shutdown, reporter)
  const address = { redis, namespace: NAMESPACE }
  const busbar = await connect({ ...address, logger: false, commandTimeoutMs: 2_000 })
  shutdown.onEnd(() => busbar.close({ timeoutMs: 500 }))
  reportEvents(busbar, reporter)
  await startProcesses(address, shutdown, reporter)
  const found = await Promise.all(SAMPLES.map((id) => busbar.lookup(id)))
  await openPage(busbar, shutdown, reporter, options)
  writeReady(address, shutdown, reporter)
  reportStatus(
    found.filter((provider) => provider !== undefined),
    reporter,
    shutdown,
  )
}

async function startProcesses(address: FleetAddress, shutdown: Shutdown, reporter: Reporter): Promise<void> {
  const upstreams = new Supervisor((text) => reporter.note(text))
  const workers = new Supervisor((text) => reporter.note(text))
  shutdown.onEnd(() => upstreams.stop()) // undone in reverse order, so that the upstreams end after the workers
  shutdown.onEnd(() => workers.stop())
  const started = (async () => {
    let urls: string[] = []
    const listening = await upstreams.start({
      name: 'upstreams',
      file: programOf('upstreams'),
      args: () => urls, // started again, they must listen where the workers look for them
    })
    urls = Array.isArray(listening) ? listening.map(String) : []
    const names = Array.from({ length: WORKERS }, (_, index) => `worker-${index + 1}`)
    const file = programOf('worker')
    const args = (name: string) => [name, address.redis, address.namespace, ...urls]
    await Promise.all(names.map((name) => workers.start({ name, file, args: () => args(name) })))
  })()
  await withTimeout(started, READY_WITHIN_MS, () => {
    throw new CliError('start_failed', EXIT.failed, 'the sample job did not get ready in time; try again')
  })
}
