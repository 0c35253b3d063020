import { hostname } from 'node:os'
import { loadParts } from '../connect.js'
import { connect, isBusbarError, type Busbar, type Provider, type SettingsInput } from '../index.js'
import { withTimeout } from '../model/timeout.js'
import { CliError, EXIT, wrongCall } from './failure.js'
import { hideSecrets } from '../view/format.js'
import { readUrlFile, URL_FILE, type FleetAddress } from './url-file.js'

/** The options of every command. */
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
export const COMMAND_WITHIN_MS = 1_000

/** The fleet of a shell; `REDIS_URL` is not among them, because other programs mean other servers by it. */
const REDIS_VARIABLE = 'BUSBAR_REDIS'
const NAMESPACE_VARIABLE = 'BUSBAR_NAMESPACE'

/** The fleet in the environment. An empty variable is the same as none. */
export function fleetFromEnvironment(): { readonly redis?: string; readonly namespace?: string } {
  const { [REDIS_VARIABLE]: redis = '', [NAMESPACE_VARIABLE]: namespace = '' } = process.env
  return { ...(redis === '' ? {} : { redis }), ...(namespace === '' ? {} : { namespace }) }
}

/** The address of the fleet: from the options, else the environment, else the file of the fleet started in this folder. */
export function findFleet(options: CommonOptions): FleetAddress & { readonly hint: string } {
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

/** Connects, works, disconnects. A Redis that does not answer is reported within about two seconds. */
export async function withFleet<T>(
  options: CommonOptions,
  work: (fleet: Fleet) => Promise<T>,
  defaults: SettingsInput = {},
): Promise<T> {
  const { hint, ...address } = findFleet(options)
  try {
    await loadParts() // before the time limit begins: loading is slow on a busy machine, and no fault of Redis
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

/** The prefix of a command's worker id: `doctor` does not count commands as workers. */
export const CLI_WORKER_PREFIX = 'cli:'

export const workerId = (): string =>
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
  try {
    return await withTimeout(connecting, CONNECT_WITHIN_MS, () => {
      const message = `no answer within ${CONNECT_WITHIN_MS / 1_000} s`
      throw new CliError('redis_unavailable', EXIT.unknown, message)
    })
  } catch (error) {
    // The connection may still succeed after the time limit; it is closed then.
    connecting.then((busbar) => busbar.close({ timeoutMs: 0 })).catch(() => undefined)
    throw error
  }
}

/** The failure to reach Redis, with the address and a hint; undefined for any other error. */
export function unreachable(error: unknown, redis: string, hint: string): CliError | undefined {
  const late = error instanceof CliError && error.code === 'redis_unavailable'
  if (!late && !isBusbarError(error, 'redis_unavailable')) return undefined
  const cause = error.cause instanceof Error ? error.cause.message : error.message
  const message = `Redis at ${hideSecrets(redis)} does not answer (${cause}): ${hint}`
  return new CliError('redis_unavailable', EXIT.unknown, message)
}

/** The handle of a registered provider. Commands register none. */
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
