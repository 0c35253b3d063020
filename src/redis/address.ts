import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis'
import { SettingsError } from '../model/errors.js'
import { checkOptions, checkUrl, foreignClient, refuseKeyPrefix } from './address-check.js'
import { parseSeveral } from './address-url.js'
import { innerParts } from './internals.js'
import { namesOfDuplicate, namesOfNodes } from './server-names.js'

/** What a user may hand over instead of an address: a client of any copy of ioredis. */
export interface RedisLike {
  duplicate(...args: unknown[]): unknown
  defineCommand(name: string, definition: { lua: string; numberOfKeys?: number }): unknown
}

/** A node of a Cluster. What only one of them says of user, password and TLS holds for all. */
export type ClusterNode =
  | string
  | (Pick<RedisOptions, 'username' | 'password' | 'tls'> & { readonly host: string; readonly port?: number })

/**
 * Where Redis is: an address (`redis://`, `rediss://`, a socket's path, `redis+sentinel://`, `redis+cluster://`), options
 * of ioredis, a list of nodes of a Cluster, or a client.
 */
export type RedisAddress = string | RedisOptions | RedisLike | readonly ClusterNode[]

export type Client = Redis | Cluster

/** How a connection is to behave, whatever there is at the other end. */
export interface ClientUse {
  readonly redis: RedisOptions
  /** On a Cluster besides `redis`, which goes to each node. */
  readonly cluster: ClusterOptions
  /** With Sentinels besides `redis`. */
  readonly sentinel: RedisOptions
}

/** Neither connects nor waits: the client is lazy. @throws SettingsError for an address that makes no sense. */
export function openClient(address: RedisAddress, manner: ClientUse): Client {
  if (Array.isArray(address)) return openCluster(readNodes(address), manner)
  // The list is gone; the compiler does not see that through `Array.isArray` of a readonly one.
  const given = address as Exclude<RedisAddress, readonly ClusterNode[]>
  if (typeof given === 'string') return openUrl(given, manner)
  if (isClient(given)) return duplicate(given, manner)
  const foreign = foreignClient(given)
  if (foreign !== undefined) throw foreign
  checkOptions(given)
  return new Redis({ ...given, ...optionsFor(given, manner) })
}

export const isCluster = (client: object): client is Cluster =>
  'nodes' in client && typeof client.nodes === 'function'

/** The number of the database that a client of ours works in. A Cluster has only one. */
export const databaseOf = (client: Client): number => (isCluster(client) ? 0 : (client.options.db ?? 0))

const isClient = (address: object): address is RedisLike =>
  ['duplicate', 'defineCommand'].every((method) => typeof Reflect.get(address, method) === 'function')

const optionsFor = (given: RedisOptions, { redis, sentinel }: ClientUse): RedisOptions =>
  (given.sentinels ?? undefined) === undefined ? redis : { ...redis, ...sentinel }

/**
 * A duplicate, so that the user's own client keeps its options, and is not ours to close. It comes from their copy of
 * ioredis, so its type can only be taken on trust.
 */
function duplicate(client: RedisLike, manner: ClientUse): Client {
  const options: unknown = Reflect.get(client, 'options')
  if (!isCluster(client)) {
    const given = (options ?? {}) as RedisOptions
    refuseKeyPrefix(given)
    // Where a SELECT has led the client, if it has connected; a duplicate of it would begin where its options say.
    const selected = Number(innerParts(client).condition?.select ?? given.db ?? 0)
    return client.duplicate({ ...optionsFor(given, manner), db: selected }) as Client
  }
  // The options of its nodes are replaced as a whole, and hold the password.
  const given = (options ?? {}) as ClusterOptions
  refuseKeyPrefix(given)
  refuseKeyPrefix(given.redisOptions, 'redis.redisOptions.keyPrefix')
  return client.duplicate([], { ...clusterOptions(manner, given.redisOptions), ...namesOfDuplicate(client) })
}

const clusterOptions = ({ redis, cluster }: ClientUse, given: ClusterOptions['redisOptions'] = {}) => ({
  ...cluster,
  redisOptions: { ...given, ...redis },
})

interface Nodes {
  readonly nodes: readonly { readonly host: string; readonly port: number }[]
  readonly access: Pick<RedisOptions, 'username' | 'password' | 'tls'>
}

const openCluster = ({ nodes, access }: Nodes, manner: ClientUse): Client =>
  new Cluster([...nodes], { ...clusterOptions(manner, access), ...namesOfNodes(access) })

function openUrl(url: string, manner: ClientUse): Client {
  const several = parseSeveral(url)
  if (several?.kind === 'cluster') return openCluster(several, manner)
  if (several?.kind === 'sentinel')
    return new Redis({ ...several.options, ...optionsFor(several.options, manner) })
  checkUrl(url)
  return new Redis(withoutOptionsOf(manner.redis, url), manner.redis)
}

/** ioredis takes options as parameters of a URL, and lets them outrank those it is given. */
function withoutOptionsOf(options: RedisOptions, url: string): string {
  const [place = '', query] = url.split(/\?(.*)/s)
  if (query === undefined) return url
  const parameters = new URLSearchParams(query)
  for (const name of Object.keys(options)) parameters.delete(name)
  return parameters.size === 0 ? place : `${place}?${parameters.toString()}`
}

function readNodes(given: readonly unknown[]): Nodes {
  if (given.length === 0)
    throw new SettingsError('redis', 'redis: expected at least one node of the Cluster, got []')
  const read = given.map(readNode)
  const access = read.find(({ username, password, tls }) => username ?? password ?? tls) ?? {}
  const nodes = read.map(({ host, port }) => ({ host, port }))
  const { username, password, tls } = access as Nodes['access']
  return {
    nodes,
    access: {
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(tls === undefined ? {} : { tls }),
    },
  }
}

function readNode(node: unknown, index: number): Nodes['nodes'][number] & Nodes['access'] {
  const wrong = () =>
    new SettingsError(
      `redis[${index}]`,
      `redis[${index}]: expected redis://host:port, rediss://host:port or { host, port } of a node of the Cluster`,
    )
  if (typeof node === 'string') {
    if (!/^rediss?:\/\//.test(node) || !URL.canParse(node)) throw wrong()
    const { protocol, hostname, port, pathname, username, password } = new URL(node)
    if (hostname === '' || !['', '/', '/0'].includes(pathname)) throw wrong()
    return {
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? 6379 : Number(port),
      ...(username === '' ? {} : { username: decodeURIComponent(username) }),
      ...(password === '' ? {} : { password: decodeURIComponent(password) }),
      ...(protocol === 'rediss:' ? { tls: {} } : {}),
    }
  }
  if (typeof node !== 'object' || node === null) throw wrong()
  refuseKeyPrefix(node, `redis[${index}].keyPrefix`)
  const { host, port = 6379, ...access } = node as Exclude<ClusterNode, string>
  if (typeof host !== 'string' || !Number.isInteger(port) || port < 1 || port > 65_535) throw wrong()
  return { host, port, ...access }
}
