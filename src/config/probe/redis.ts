import type { RedisProbeSettings } from '../../model/probe.js'
import { anyText, complete, literal, matching, oneOf } from '../fields.js'
import { optional, Problem, refine, type Schema } from '../schema.js'
import { ANSWERING, probeOf } from './common.js'

const URL_ERROR = 'expected redis://host:port, rediss://host:port or the path of a socket'
const redisUrl = refine(anyText(1_024, URL_ERROR), (value) => {
  if (value.startsWith('/') && !value.includes('\0')) return value
  const url = /^rediss?:\/\/[^/]/.test(value) && URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || url.hostname === '') {
    // It may hold a password although it is no URL.
    throw value.includes('@') ? complete(`${URL_ERROR}, without credentials`) : new Problem(URL_ERROR)
  }
  if (url.username !== '' || url.password !== '') {
    throw complete(`${URL_ERROR}, without credentials: name them by usernameEnv and passwordEnv`)
  }
  if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '') {
    throw new Problem(`${URL_ERROR}, and nothing behind it`)
  }
  return value
})

const ENV_ERROR = 'expected the name of an environment variable that begins with BUSBAR_PROBE_'
/**
 * Settings come from Redis and name the host as well, so that any name would let whoever writes there have any secret of
 * the workers sent to a host of their choice. The prefix leaves the choice to the worker.
 */
const variable = () => matching(128, /^BUSBAR_PROBE_[A-Z0-9_]{1,100}$/, ENV_ERROR)

export const redisProbe: Schema<RedisProbeSettings> = refine(
  probeOf({
    ...ANSWERING,
    kind: literal('redis'),
    url: redisUrl,
    usernameEnv: optional(variable()),
    passwordEnv: optional(variable()),
    role: optional(oneOf(['master', 'replica'])),
  }),
  (probe) => {
    if (probe.usernameEnv === undefined || probe.passwordEnv !== undefined) return probe
    const message = `usernameEnv ${probe.usernameEnv} is given without passwordEnv: AUTH needs both`
    throw complete(message, 'usernameEnv')
  },
)
