import { fleetFromEnvironment } from '../fleet.js'
import { hideSecrets } from '../../view/format.js'
import { URL_FILE, writeUrlFile, type FleetAddress } from '../url-file.js'
import type { Lifetime } from './shutdown.js'
import type { Reporter } from './reporter.js'

/** Announces that everything runs: the `ready` line, and the file by which other commands in this folder find it. */
export function announce(address: FleetAddress, lifetime: Lifetime, reporter: Reporter): void {
  if (lifetime.ending) return
  try {
    lifetime.onEnd(writeUrlFile(address))
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
