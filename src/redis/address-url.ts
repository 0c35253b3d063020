import type { RedisOptions } from 'ioredis'
import { SettingsError } from '../model/errors.js'

/** An address of several servers: `URL` knows only one host. */
export type Several =
  | { readonly kind: 'sentinel'; readonly options: RedisOptions & { readonly sentinels: Host[] } }
  | {
      readonly kind: 'cluster'
      readonly nodes: readonly Host[]
      readonly access: Pick<RedisOptions, 'username' | 'password' | 'tls'>
    }

interface Host {
  host: string
  port: number
}

const SEVERAL = /^(rediss?)\+(sentinel|cluster):\/\/(?:([^@/]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s

const FORM = {
  sentinel: 'redis+sentinel://user:password@host:26379,host:26379/master-name/0',
  cluster: 'redis+cluster://user:password@host:6379,host:6379',
}

/**
 * Reads `redis+sentinel://` and `redis+cluster://` (`rediss+...` for TLS). User and password are those of Redis; those of
 * the Sentinels come as `?sentinelUsername=...&sentinelPassword=...`. Undefined for any other address.
 * @throws SettingsError that shows nothing of a password.
 */
export function parseSeveral(url: string): Several | undefined {
  const [, scheme, kind, user, hosts = '', path = '', query = ''] = SEVERAL.exec(url) ?? []
  if (kind !== 'sentinel' && kind !== 'cluster') return undefined
  const wrong = (why: string) => new SettingsError('redis', `redis: ${why}; expected ${FORM[kind]}`)
  if (/@/.test(hosts + path)) throw wrong('an @, : or / within a user or a password must be percent-encoded')
  const access = {
    ...credentials(user, wrong),
    ...(scheme === 'rediss' ? { tls: {} } : {}),
  }
  const nodes = hosts.split(',').map((host) => readHost(host, kind === 'sentinel' ? 26_379 : 6_379, wrong))
  const parameters = new URLSearchParams(query)
  if (kind === 'cluster') {
    if (path !== '' && path !== '0') throw wrong('a Cluster has no database but 0, and no name')
    if (query !== '') throw wrong('a Cluster takes no parameters after ?')
    return { kind, nodes, access }
  }
  const [name = '', db = '0', ...rest] = path.split('/')
  if (name === '') throw wrong('the name of the master is missing')
  if (!/^\d{1,5}$/.test(db) || rest.length > 0)
    throw wrong('after the name of the master only a database may follow')
  for (const key of parameters.keys()) {
    if (key !== 'sentinelUsername' && key !== 'sentinelPassword') throw wrong(`unknown parameter ${key}`)
  }
  const [sentinelUsername, sentinelPassword] = [
    parameters.get('sentinelUsername'),
    parameters.get('sentinelPassword'),
  ]
  return {
    kind,
    options: {
      sentinels: nodes,
      name: decode(name, wrong),
      db: Number(db),
      ...access,
      ...(scheme === 'rediss' ? { sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
      ...(sentinelUsername === null ? {} : { sentinelUsername }),
      ...(sentinelPassword === null ? {} : { sentinelPassword }),
    },
  }
}

type Wrong = (why: string) => SettingsError

function credentials(user: string | undefined, wrong: Wrong): Pick<RedisOptions, 'username' | 'password'> {
  if (user === undefined || user === '') return {}
  const [username = '', ...rest] = user.split(':')
  if (rest.length > 1) throw wrong('a : within a user or a password must be percent-encoded')
  return {
    ...(username === '' ? {} : { username: decode(username, wrong) }),
    ...(rest[0] === undefined ? {} : { password: decode(rest[0], wrong) }),
  }
}

function decode(text: string, wrong: Wrong): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrong('a % that begins no percent-encoded character')
  }
}

function readHost(text: string, defaultPort: number, wrong: Wrong): Host {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  const number = port === undefined ? defaultPort : Number(port)
  if (host === undefined || number < 1 || number > 65_535) throw wrong('one of the hosts is no host:port')
  return { host, port: number }
}
