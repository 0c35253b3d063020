import { hostname } from 'node:os'
import { loadParts } from '../connect.js'
import { connect, isBusbarError, type Busbar, type Provider, type SettingsInput } from '../index.js'
import { CliError, EXIT, wrongCall } from './failure.js'
import { hideSecrets } from '../view/format.js'
import { readUrlFile, URL_FILE, type FleetAddress } from './url-file.js'

/** What every command takes. */
export interface CommonOptions {
  readonly redis?: string
  readonly namespace?: string
  readonly json?: boolean
}

export interface Fleet {
  readonly busbar: Busbar
  readonly address: FleetAddress
}

const CONNECT_WITHIN_MS = 1_500
const COMMAND_WITHIN_MS = 1_000

/** The fleet of a shell; `REDIS_URL` is not among them, because other programs mean other servers by it. */
const REDIS_VARIABLE = 'BUSBAR_REDIS'
const NAMESPACE_VARIABLE = 'BUSBAR_NAMESPACE'

/** What the environment says of the fleet: empty is the same as not set. */
export function fleetFromEnvironment(): { readonly redis?: string; readonly namespace?: string } {
  const { [REDIS_VARIABLE]: redis = '', [NAMESPACE_VARIABLE]: namespace = '' } = process.env
  return { ...(redis === '' ? {} : { redis }), ...(namespace === '' ? {} : { namespace }) }
}

/** Where the fleet is: what the call says, else the environment, else what the fleet started in this folder wrote. */
function findFleet(options: CommonOptions): FleetAddress & { readonly hint: string } {
  const set = fleetFromEnvironment()
  const namespace = options.namespace ?? set.namespace
  if (options.redis !== undefined) {
    const hint = 'check --redis, and that Redis runs there'
    return { redis: options.redis, namespace: namespace ?? 'busbar', hint }
  }
  if (set.redis !== undefined) {
    const hint = `that address is from ${REDIS_VARIABLE}; is Redis running there?`
    return { redis: set.redis, namespace: namespace ?? 'busbar', hint }
  }
  const found = readUrlFile()
  if (found === undefined) {
    throw wrongCall(
      `which Redis? Give --redis redis://host:port, set ${REDIS_VARIABLE}, or run this in a folder where ` +
        `busbar start is running (${URL_FILE} is not here)`,
    )
  }
  const hint = `that address is from ${URL_FILE}; is busbar start still running in this folder?`
  return { redis: found.redis, namespace: namespace ?? found.namespace, hint }
}

/** Connects, works, disconnects. A Redis that does not answer is told within about two seconds. */
export async function withFleet<T>(
  options: CommonOptions,
  work: (fleet: Fleet) => Promise<T>,
  defaults: SettingsInput = {},
): Promise<T> {
  const { hint, ...address } = findFleet(options)
  try {
    await loadParts() // a busy machine takes its time for that, and Redis is not to blame
    const busbar = await connectInTime(address, defaults)
    try {
      return await work({ busbar, address })
    } finally {
      await busbar.close({ timeoutMs: COMMAND_WITHIN_MS })
    }
  } catch (error) {
    throw unreachable(error, address.redis, hint) ?? error
  }
}

/** Commands are no workers: `doctor` tells them apart by this. */
export const CLI_WORKER_PREFIX = 'cli:'

const workerId = (): string =>
  `${CLI_WORKER_PREFIX}${hostname()
    .replace(/[^A-Za-z0-9.-]/g, '-')
    .slice(0, 64)}-${process.pid}`

async function connectInTime({ redis, namespace }: FleetAddress, defaults: SettingsInput): Promise<Busbar> {
  const connecting = connect({
    redis,
    namespace,
    logger: false,
    workerId: workerId(),
    defaults,
    commandTimeoutMs: COMMAND_WITHIN_MS,
    onRedisDown: 'deny',
    unref: true,
  })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const message = `no answer within ${CONNECT_WITHIN_MS / 1_000} s`
    timer = setTimeout(
      () => reject(new CliError('redis_unavailable', EXIT.unknown, message)),
      CONNECT_WITHIN_MS,
    )
  })
  try {
    return await Promise.race([connecting, late])
  } catch (error) {
    // It may still succeed when nobody waits any more.
    connecting.then((busbar) => busbar.close({ timeoutMs: 0 })).catch(() => undefined)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** The same failure, naming the address and what to do; undefined when it is another one. */
export function unreachable(error: unknown, redis: string, hint: string): CliError | undefined {
  const late = error instanceof CliError && error.code === 'redis_unavailable'
  if (!late && !isBusbarError(error, 'redis_unavailable')) return undefined
  const cause = error.cause instanceof Error ? error.cause.message : error.message
  const message = `Redis at ${hideSecrets(redis)} does not answer (${cause}): ${hint}`
  return new CliError('redis_unavailable', EXIT.unknown, message)
}

/** The handle of a provider that somebody registered; the command registers nothing. */
export async function findProvider({ busbar, address }: Fleet, id: string): Promise<Provider> {
  const provider = await busbar.lookup(id)
  if (provider !== undefined) return provider
  const known = await busbar.providers()
  const some = known.slice(0, 8).join(', ') + (known.length > 8 ? ', ...' : '')
  const advice = known.length === 0 ? 'none is registered there' : `registered there: ${some}`
  throw new CliError(
    'provider_unknown',
    EXIT.unknown,
    `no provider ${id} in namespace ${address.namespace}; ${advice}`,
  )
}
