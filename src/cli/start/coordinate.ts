import { connect, type Busbar, type Provider } from '../../index.js'
import { inFile, readConfigFile, type ConfigFile } from '../config-file.js'
import { unreachable } from '../fleet.js'
import { hideSecrets } from '../format.js'
import { announce } from './announce.js'
import { reportEvents, reportStatus } from './follow.js'
import type { Lifetime } from './lifetime.js'
import type { Reporter } from './reporter.js'
import { startPrivateRedis } from './private-redis.js'

export interface CoordinateOptions {
  readonly file: string
  readonly redis?: string | undefined
  readonly namespace?: string | undefined
}

/** Registers the providers of a file, runs their probes, and shows how they are. */
export async function coordinate(
  lifetime: Lifetime,
  reporter: Reporter,
  options: CoordinateOptions,
): Promise<void> {
  const config = readConfigFile(options.file)
  const namespace = options.namespace ?? config.namespace ?? 'busbar'
  const { redis, from } = await chooseRedis(config, options, lifetime, reporter)
  reporter.note(`Redis ${hideSecrets(redis)} (${from}), namespace ${namespace}`)
  try {
    const busbar = await connect({ redis, namespace, defaults: config.defaults, logger: false }).catch(
      inFile(options.file),
    )
    lifetime.onEnd(() => busbar.close({ timeoutMs: 2_000 }))
    reportEvents(busbar, reporter)
    const providers = await register(busbar, config, options)
    await busbar.startProbes()
    announce({ redis, namespace }, lifetime, reporter)
    reportStatus(providers, reporter, lifetime)
  } catch (error) {
    throw unreachable(error, redis, `that address is from ${from}; is Redis running there?`) ?? error
  }
}

/** `--redis`, else REDIS_URL, else the file's, else one of our own. */
async function chooseRedis(
  config: ConfigFile,
  options: CoordinateOptions,
  lifetime: Lifetime,
  reporter: Reporter,
): Promise<{ redis: string; from: string }> {
  if (options.redis !== undefined) return { redis: options.redis, from: '--redis' }
  const exported = process.env['REDIS_URL'] ?? ''
  if (exported !== '') return { redis: exported, from: 'REDIS_URL' }
  if (config.redis !== undefined) return { redis: config.redis, from: options.file }
  return { redis: await startPrivateRedis(lifetime, reporter), from: 'private, ends with this' }
}

async function register(
  busbar: Busbar,
  { providers }: ConfigFile,
  options: CoordinateOptions,
): Promise<Provider[]> {
  const handles: Provider[] = []
  for (const [id, settings] of providers) {
    handles.push(await busbar.provider(id, settings).catch(inFile(options.file, `providers.${id}.`)))
  }
  return handles
}
