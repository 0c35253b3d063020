import * as v from 'valibot'
import type { RedisProbeSettings } from '../../model/probe.js'
import { clash, refuse, type Problem } from '../check.js'
import { matching, oneOf } from '../fields.js'
import { fieldsOf } from '../objects.js'
import { ANSWERING, clashOfTimes, complete } from './common.js'

const URL_ERROR = 'expected redis://host:port, rediss://host:port or the path of a socket'
const redisUrl = v.pipe(
  v.string(URL_ERROR),
  v.maxLength(1_024, URL_ERROR),
  refuse((value) => {
    if (value.startsWith('/') && !value.includes('\0')) return undefined
    const url = /^rediss?:\/\/[^/]/.test(value) && URL.canParse(value) ? new URL(value) : undefined
    if (url === undefined || url.hostname === '') {
      // Text that is no URL may still hold a password.
      const complete = value.includes('@')
      return { message: complete ? `${URL_ERROR}, without credentials` : URL_ERROR, complete }
    }
    if (url.username !== '' || url.password !== '') {
      const message = `${URL_ERROR}, without credentials: name them by usernameEnv and passwordEnv`
      return { message, complete: true }
    }
    if (['', '/'].includes(url.pathname) && url.search === '' && url.hash === '') return undefined
    return { message: `${URL_ERROR}, and nothing behind it` }
  }),
)

const ENV_ERROR = 'expected the name of an environment variable that begins with BUSBAR_PROBE_'
/**
 * Settings come from Redis, and they name the host as well. Without the prefix, a person who can write to Redis could have
 * any secret of the workers sent to a host of their own. With it, the worker chooses which secrets probes may use.
 */
const variable = () => matching(/^BUSBAR_PROBE_[A-Z0-9_]{1,100}$/, ENV_ERROR)

export const redisProbe = v.pipe(
  fieldsOf({
    ...ANSWERING,
    kind: v.literal('redis'),
    url: redisUrl,
    usernameEnv: v.optional(variable()),
    passwordEnv: v.optional(variable()),
    role: v.optional(oneOf(['master', 'replica'])),
  }),
  v.transform((probe) => complete(probe)),
  refuse((probe) => clashOfTimes(probe) ?? userAlone(probe)),
)

function userAlone({ usernameEnv, passwordEnv }: RedisProbeSettings): Problem | undefined {
  if (usernameEnv === undefined || passwordEnv !== undefined) return undefined
  const message = `usernameEnv ${usernameEnv} is given without passwordEnv: AUTH needs both`
  return clash(['usernameEnv'], message)
}
