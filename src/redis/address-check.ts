import type { RedisOptions } from 'ioredis'
import { show } from '../config/show.js'
import { SettingsError } from '../model/errors.js'

/** What is wrong with an address, by name and value. Nothing here shows what may hold a password. */

const wrong = (path: string, message: string) => new SettingsError(path, `${path}: ${message}`)

const FORMS = 'expected redis://, rediss://, redis+sentinel://, redis+cluster:// or the path of a socket'

/** Parameters of an address are options of ioredis; these are refused or read here. */
const WHOLE = /^\d+$/

/** Checks `redis://`, `rediss://` and the path of a socket. */
export function checkUrl(url: string): void {
  if (url.trim() === '') throw wrong('redis', `${FORMS}, got ${show(url)}: is a variable not set?`)
  const isSocket = url.startsWith('/') && !url.startsWith('//')
  if (!isSocket && !/^rediss?:\/\//.test(url)) throw wrong('redis', `${FORMS}, got ${withoutScheme(url)}`)
  if (isSocket) {
    const query = url.indexOf('?')
    checkParameters(new URLSearchParams(query === -1 ? '' : url.slice(query + 1)))
    return
  }
  if (!URL.canParse(url)) {
    const why =
      'this is no valid URL; the port is a number up to 65535, and special characters of a password are percent-encoded'
    throw wrong('redis', why)
  }
  const { hostname, port, pathname, searchParams } = new URL(url)
  if (hostname === '')
    throw wrong('redis', 'the address names no host; expected redis://host:6379: is a variable not set?')
  if (port === '0') throw wrong('redis', 'expected a port from 1 to 65535, got 0')
  const database = pathname.slice(1)
  if (database !== '' && !WHOLE.test(database))
    throw wrong('redis', `expected the number of a database after the host, got ${show(database)}`)
  checkParameters(searchParams)
}

/** Only what is surely no secret is shown. */
function withoutScheme(url: string): string {
  if (/^[\w.-]+:\d{1,5}(\/\d+)?$/.test(url)) return `${show(url)}: put redis:// before it`
  return /^[a-z+]{1,20}:(?=\/\/)/i.exec(url)?.[0] ?? 'something else'
}

function checkParameters(parameters: URLSearchParams): void {
  if (parameters.has('keyPrefix')) throw noKeyPrefix('redis.keyPrefix')
  checkDatabase(parameters.get('db') ?? undefined)
}

const noKeyPrefix = (path: string) =>
  wrong(
    path,
    'ioredis would put it before some keys and not before others; give `namespace` instead, which tells fleets apart',
  )

/** `options` of a client, or for one. */
export function refuseKeyPrefix(options: object | undefined, path = 'redis.keyPrefix'): void {
  if (options === undefined) return
  const prefix: unknown = Reflect.get(options, 'keyPrefix')
  if (prefix !== undefined && prefix !== null && prefix !== '') throw noKeyPrefix(path)
}

function checkDatabase(db: unknown): void {
  if (db === undefined || db === null) return
  const digits = typeof db === 'string' || typeof db === 'number' ? String(db) : ''
  if (!WHOLE.test(digits)) throw wrong('redis.db', `expected the number of a database, got ${show(db)}`)
}

const PLACES = ['host', 'port', 'path', 'sentinels'] as const

/** Checks options of ioredis, as far as a wrong one would lead elsewhere or nowhere. */
export function checkOptions(options: RedisOptions): void {
  if (options instanceof URL) throw wrong('redis', 'expected options of ioredis, got a URL; give its href')
  const { host, port, path, sentinels, name, db }: { [K in keyof RedisOptions]: unknown } = options
  if (PLACES.every((place) => (options[place] ?? undefined) === undefined)) {
    const keys = Object.keys(options)
    const got = keys.length === 0 ? '{}: is a variable not set?' : `only ${keys.slice(0, 10).join(', ')}`
    throw wrong('redis', `expected host, port, path or sentinels among the options of ioredis, got ${got}`)
  }
  refuseKeyPrefix(options)
  checkDatabase(db)
  checkName('host', host)
  checkName('path', path)
  checkPort('redis.port', port)
  for (const secret of ['username', 'password'] as const) {
    const value: unknown = options[secret]
    if (value !== undefined && value !== null && typeof value !== 'string')
      throw wrong(`redis.${secret}`, `expected a string, got one of type ${typeof value}`)
  }
  if (sentinels === undefined || sentinels === null) return
  if (!Array.isArray(sentinels) || sentinels.length === 0)
    throw wrong('redis.sentinels', 'expected a list of { host, port }, at least one')
  sentinels.forEach((sentinel: unknown, index) => {
    const at = typeof sentinel === 'object' && sentinel !== null ? sentinel : {}
    checkPort(`redis.sentinels[${index}].port`, Reflect.get(at, 'port'))
  })
  if (typeof name !== 'string' || name === '')
    throw wrong('redis.name', `expected the name of the master, as the Sentinels know it, got ${show(name)}`)
}

function checkName(key: 'host' | 'path', value: unknown): void {
  if (value === undefined || value === null) return
  if (typeof value !== 'string' || value.trim() === '')
    throw wrong(`redis.${key}`, `expected a string, got ${show(value)}`)
}

/** ioredis takes a port in digits too, as environments have it. */
function checkPort(path: string, value: unknown): void {
  if (value === undefined || value === null) return
  const port = typeof value === 'string' && WHOLE.test(value) ? Number(value) : value
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535)
    throw wrong(path, `expected a whole number from 1 to 65535, got ${show(value)}`)
}

/** A client that is not one of ioredis: said by name, where it is known. Undefined for anything that is no client. */
export function foreignClient(address: object): SettingsError | undefined {
  const has = (name: string) => typeof Reflect.get(address, name) === 'function'
  if (!has('duplicate') && !has('sendCommand') && !has('send')) return undefined
  const kind =
    has('sendCommand') && ('isOpen' in address || has('sAdd'))
      ? 'a node-redis client'
      : 'no client of ioredis'
  return wrong('redis', `this is ${kind}; give the URL of Redis, options of ioredis, or a client of ioredis`)
}
