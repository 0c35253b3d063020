import * as v from 'valibot'
import type { TlsSettings } from '../../model/probe.js'
import { refuse } from '../check.js'
import { bool, whole } from '../fields.js'
import { fieldsOf, object } from '../objects.js'
import { ANSWERING, clashOfTimes, complete, settled } from './common.js'

const HOST_ERROR = 'expected the name or address of a host, without a port'
/** A name, an IPv4 address, or an IPv6 address without its brackets and perhaps with its zone. */
const HOST =
  /^(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\.?|(?=[^%]*:[^%]*:)[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9._-]{1,16})?)$/
const host = () => v.pipe(v.string(HOST_ERROR), v.maxLength(253, HOST_ERROR), v.regex(HOST, HOST_ERROR))

const TLS_ERROR = 'expected true, or an object with servername, minDaysToExpiry or rejectUnauthorized'
/** `true` stands for all defaults. */
const tls = v.pipe(
  v.unknown(),
  v.transform((value) => (value === true ? {} : value)),
  object(
    {
      servername: v.optional(host()),
      minDaysToExpiry: v.optional(whole(1, 36_500)),
      rejectUnauthorized: v.optional(bool(), true),
    },
    TLS_ERROR,
  ),
  v.transform((given): TlsSettings => settled(given)),
)

export const tcpProbe = v.pipe(
  fieldsOf({
    ...ANSWERING,
    kind: v.literal('tcp'),
    host: host(),
    port: whole(1, 65_535),
    tls: v.optional(tls),
  }),
  v.transform((probe) => complete(probe)),
  refuse((probe) => clashOfTimes(probe)),
)
