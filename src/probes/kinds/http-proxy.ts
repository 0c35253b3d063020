import { BlockList, isIP } from 'node:net'
import { isProxyUrl } from '../../config/probe/proxy.js'
import { SecretError } from '../secrets.js'

/** The proxy on the way to a URL. Undefined: none. @throws SecretError for a variable that holds no address of one */
export function proxyFor(url: URL, proxy: string, env: NodeJS.ProcessEnv = process.env): URL | undefined {
  if (proxy === 'none') return undefined
  if (proxy !== 'env') return new URL(proxy)
  const host = hostOf(url)
  if (isLoopback(host) || isExcepted(host, portOf(url), variable('NO_PROXY', env)?.value ?? ''))
    return undefined
  const found = variable(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY', env)
  if (found === undefined) return undefined
  // `proxy:3128`, as curl takes it.
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(found.value) ? found.value : `http://${found.value}`
  if (!isProxyUrl(address))
    throw new SecretError('probe.proxy', found.name, 'does not hold the http: or https: URL of a proxy')
  return new URL(address)
}

/** Without the brackets of an IPv6 address. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1')

export const portOf = ({ port, protocol }: URL): number => Number(port) || (protocol === 'https:' ? 443 : 80)

/** In small letters first, as other programs have it. */
function variable(name: string, env: NodeJS.ProcessEnv) {
  for (const one of [name.toLowerCase(), name]) {
    const value = (env[one] ?? '').trim()
    if (value !== '') return { name: one, value }
  }
  return undefined
}

/** This host is meant, and no proxy's. */
const isLoopback = (host: string): boolean =>
  /^(.*\.)?localhost\.?$/i.test(host) || /^127\./.test(host) || host === '::1'

/**
 * `NO_PROXY`: names, each with the names below it; addresses; ranges such as `10.0.0.0/8`; each with `:port` if it is to
 * hold for that port alone; `*` for all. Commas or blanks stand between them.
 */
export function isExcepted(host: string, port: number, exceptions: string): boolean {
  return exceptions.split(/[\s,]+/).some((exception) => {
    if (exception === '*') return true
    const [, bracketed, plain = exception, itsPort] =
      /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(exception) ?? []
    if (itsPort !== undefined && Number(itsPort) !== port) return false
    return covers((bracketed ?? plain).toLowerCase(), host.toLowerCase().replace(/\.$/, ''))
  })
}

function covers(exception: string, host: string): boolean {
  if (isIP(host) !== 0) return coversAddress(exception, host)
  const name = exception.replace(/^\*?\./, '').replace(/\.$/, '')
  return name !== '' && (host === name || host.endsWith(`.${name}`))
}

function coversAddress(exception: string, host: string): boolean {
  const [network = '', bits] = exception.split('/')
  if (isIP(network) === 0) return false
  const list = new BlockList()
  const family = familyOf(network)
  const longest = family === 'ipv4' ? 32 : 128
  const prefix = bits === undefined ? longest : Number(bits)
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > longest) return false
  list.addSubnet(network, prefix, family)
  return list.check(host, familyOf(host))
}

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4')
