import { connect, type Busbar, type Provider } from '../../index.js'
import { inFile, readConfigFile, type ConfigFile } from '../config-file.js'
import { wrongCall } from '../failure.js'
import { fleetFromEnvironment, unreachable } from '../fleet.js'
import { hideSecrets } from '../../view/format.js'
import { CODE_KINDS } from '../../view/probe-target.js'
import { writeReady } from './write-ready.js'
import { reportEvents, reportStatus } from './follow.js'
import type { Shutdown } from './shutdown.js'
import type { Reporter } from './reporter.js'
import { openPage } from './open-page.js'
import { startPrivateRedis } from './private-redis.js'
import type { UiOptions } from '../ui/serve-ui.js'

export interface CoordinateOptions {
  readonly file: string
  readonly redis?: string | undefined
  readonly namespace?: string | undefined
  /** Undefined: no page is served. */
  readonly ui?: UiOptions | undefined
}

/** Registers the providers of a file, runs their probes, and shows how they are. */
export async function coordinate(
  shutdown: Shutdown,
  reporter: Reporter,
  options: CoordinateOptions,
): Promise<void> {
  const config = readConfigFile(options.file)
  refuseCode(config)
  const namespace = options.namespace ?? fleetFromEnvironment().namespace ?? config.namespace ?? 'busbar'
  const { redis, from } = await chooseRedis(config, options, shutdown, reporter)
  reporter.note(`Redis ${hideSecrets(redis)} (${from}), namespace ${namespace}`)
  try {
    const busbar = await connect({ redis, namespace, defaults: config.defaults, logger: false }).catch(
      inFile(config),
    )
    shutdown.onEnd(() => busbar.close({ timeoutMs: 2_000 }))
    reportEvents(busbar, reporter)
    const providers = await register(busbar, config)
    await busbar.startProbes()
    if (config.alerts !== undefined) await busbar.startAlerts(config.alerts).catch(inFile(config))
    if (options.ui !== undefined) await openPage(busbar, shutdown, reporter, options.ui)
    writeReady({ redis, namespace }, shutdown, reporter)
    reportStatus(providers, reporter, shutdown)
  } catch (error) {
    throw unreachable(error, redis, `that address is from ${from}; is Redis running there?`) ?? error
  }
}

/** `--redis`, else BUSBAR_REDIS, else REDIS_URL, else the file's, else one of our own. */
async function chooseRedis(
  config: ConfigFile,
  options: CoordinateOptions,
  shutdown: Shutdown,
  reporter: Reporter,
): Promise<{ redis: string; from: string }> {
  if (options.redis !== undefined) return { redis: options.redis, from: '--redis' }
  const { redis: set } = fleetFromEnvironment()
  if (set !== undefined) return { redis: set, from: 'BUSBAR_REDIS' }
  const exported = process.env['REDIS_URL'] ?? ''
  if (exported !== '') return { redis: exported, from: 'REDIS_URL' }
  if (config.redis !== undefined) return { redis: config.redis, from: options.file }
  return { redis: await startPrivateRedis(shutdown, reporter), from: 'private, ends with this' }
}

/**
 * Refuses probes whose check is code that a worker registers. This process has no such code, so that it would take their
 * turns and discard them for ever.
 * @throws CliError that names the provider and the kind.
 */
function refuseCode({ name, defaults, providers }: ConfigFile): void {
  const given = [
    ['defaults', defaults],
    ...providers.map(([id, settings]) => [`providers.${id}`, settings] as const),
  ] as const
  for (const [path, { probe }] of given) {
    // The library refuses settings that are no object.
    if (typeof probe !== 'object' || !CODE_KINDS.includes(probe.kind)) continue
    throw wrongCall(
      `${name}: ${path}.probe.kind: ${probe.kind} is code, which only a worker that registers it can run ` +
        `(startProbes({ processes, functions })), and busbar start is none: take another kind, or busbar apply`,
    )
  }
}

async function register(busbar: Busbar, config: ConfigFile): Promise<Provider[]> {
  const handles: Provider[] = []
  for (const [id, settings] of config.providers) {
    handles.push(await busbar.provider(id, settings).catch(inFile(config, `providers.${id}.`)))
  }
  return handles
}
