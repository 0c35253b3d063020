import { z } from 'zod'
import type { RedisProbeSettings } from '../../model/probe.js'
import { COMPLETE } from '../check.js'
import { oneOf } from '../fields.js'
import { ANSWERING, checkTimes, complete } from './common.js'

const URL_ERROR = 'expected redis://host:port, rediss://host:port or the path of a socket'
const redisUrl = z
  .string({ error: URL_ERROR })
  .max(1_024, { error: URL_ERROR })
  .superRefine((value, context) => {
    if (value.startsWith('/') && !value.includes('\0')) return
    const url = /^rediss?:\/\/[^/]/.test(value) && URL.canParse(value) ? new URL(value) : undefined
    if (url === undefined || url.hostname === '') {
      // It may hold a password although it is no URL.
      const message = value.includes('@') ? `${URL_ERROR}, without credentials` : URL_ERROR
      context.addIssue({ code: 'custom', message, ...(value.includes('@') ? COMPLETE : {}) })
    } else if (url.username !== '' || url.password !== '') {
      const message = `${URL_ERROR}, without credentials: name them by usernameEnv and passwordEnv`
      context.addIssue({ code: 'custom', message, ...COMPLETE })
    } else if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '') {
      context.addIssue({ code: 'custom', message: `${URL_ERROR}, and nothing behind it` })
    }
  })

const ENV_ERROR = 'expected the name of an environment variable that begins with BUSBAR_PROBE_'
/**
 * Settings come from Redis and name the host as well, so that any name would let whoever writes there have any secret of
 * the workers sent to a host of their choice. The prefix leaves the choice to the worker.
 */
const variable = () =>
  z.string({ error: ENV_ERROR }).regex(/^BUSBAR_PROBE_[A-Z0-9_]{1,100}$/, { error: ENV_ERROR })

export const redisProbe = z
  .strictObject({
    ...ANSWERING,
    kind: z.literal('redis'),
    url: redisUrl,
    usernameEnv: variable().optional(),
    passwordEnv: variable().optional(),
    role: oneOf(['master', 'replica']).optional(),
  })
  .transform((probe): RedisProbeSettings => complete(probe))
  .superRefine((probe, context) => {
    checkTimes(probe, context)
    if (probe.usernameEnv === undefined || probe.passwordEnv !== undefined) return
    const message = `usernameEnv ${probe.usernameEnv} is given without passwordEnv: AUTH needs both`
    context.addIssue({ code: 'custom', path: ['usernameEnv'], message, ...COMPLETE })
  })
