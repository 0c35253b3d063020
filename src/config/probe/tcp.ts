import type { TcpProbeSettings, TlsSettings } from '../../model/probe.js'
import { bool, literal, matching, whole } from '../fields.js'
import { object, optional, withDefault, type Schema } from '../schema.js'
import { ANSWERING, probeOf } from './common.js'

const HOST_ERROR = 'expected the name or address of a host, without a port'
/** A name, an IPv4 address, or an IPv6 address without its brackets and perhaps with its zone. */
const HOST =
  /^(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\.?|(?=[^%]*:[^%]*:)[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9._-]{1,16})?)$/
const host = () => matching(253, HOST, HOST_ERROR)

const TLS_ERROR = 'expected true, or an object with servername, minDaysToExpiry or rejectUnauthorized'
const tlsObject = object(
  {
    servername: optional(host()),
    minDaysToExpiry: optional(whole(1, 36_500)),
    rejectUnauthorized: withDefault(bool(), true),
  },
  TLS_ERROR,
)
/** `true` stands for all defaults. */
const tls: Schema<TlsSettings> = (value) => tlsObject(value === true ? {} : value)

export const tcpProbe: Schema<TcpProbeSettings> = probeOf({
  ...ANSWERING,
  kind: literal('tcp'),
  host: host(),
  port: whole(1, 65_535),
  tls: optional(tls),
})
