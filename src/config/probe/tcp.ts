import { z } from 'zod'
import type { TcpProbeSettings, TlsSettings } from '../../model/probe.js'
import { bool, whole } from '../fields.js'
import { ANSWERING, checkTimes, complete, settled } from './common.js'

const HOST_ERROR = 'expected the name or address of a host, without a port'
/** A name, an IPv4 address, or an IPv6 address without its brackets and perhaps with its zone. */
const HOST =
  /^(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\.?|(?=[^%]*:[^%]*:)[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9._-]{1,16})?)$/
const host = () =>
  z.string({ error: HOST_ERROR }).max(253, { error: HOST_ERROR }).regex(HOST, { error: HOST_ERROR })

const TLS_ERROR = 'expected true, or an object with servername, minDaysToExpiry or rejectUnauthorized'
const tlsObject = z.strictObject(
  {
    servername: host().optional(),
    minDaysToExpiry: whole(1, 36_500).optional(),
    rejectUnauthorized: bool().default(true),
  },
  { error: TLS_ERROR },
)
/** `true` stands for all defaults. */
const tls = z
  .preprocess((value) => (value === true ? {} : value), tlsObject)
  .transform((given): TlsSettings => settled(given))

export const tcpProbe = z
  .strictObject({
    ...ANSWERING,
    kind: z.literal('tcp'),
    host: host(),
    port: whole(1, 65_535),
    tls: tls.optional(),
  })
  .transform((probe): TcpProbeSettings => complete(probe))
  .superRefine(checkTimes)
