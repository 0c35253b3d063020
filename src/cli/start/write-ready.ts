import { fleetFromEnvironment } from '../fleet.js'
import { hideSecrets } from '../../view/format.js'
import { URL_FILE, writeUrlFile, type FleetAddress } from '../url-file.js'
import type { Shutdown } from './shutdown.js'
import type { Reporter } from './reporter.js'

/** Says that everything runs: the `ready` line, and the file by which other commands in this folder find it. */
export function writeReady(address: FleetAddress, shutdown: Shutdown, reporter: Reporter): void {
  if (shutdown.begun) return
  try {
    shutdown.onEnd(writeUrlFile(address))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    reporter.note(`${URL_FILE} was not written (${why}): use --redis ${hideSecrets(address.redis)}`)
  }
  const { redis = address.redis, namespace = address.namespace } = fleetFromEnvironment()
  if (redis !== address.redis || namespace !== address.namespace) {
    const here = `--redis ${hideSecrets(address.redis)} --namespace ${address.namespace}`
    reporter.note(`BUSBAR_REDIS or BUSBAR_NAMESPACE is set: other commands go there, unless they say ${here}`)
  }
  reporter.ready(address)
}
