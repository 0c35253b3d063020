import { generateKeyPairSync, sign } from 'node:crypto'

/**
 * Self-signed certificates for TLS servers of tests, made on the spot, so that a test chooses when they expire and no
 * key lies in the repository. Node reads X.509 and does not write it; the few fields needed are written here as DER.
 */
export interface Identity {
  readonly key: string
  readonly cert: string
}

const DAY_MS = 86_400_000

/** For `localhost` and 127.0.0.1, valid from and until so many days from now. */
export function selfSigned({ fromDays = -1, toDays = 365 } = {}): Identity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = sequence(oid(ECDSA_WITH_SHA256))
  const name = sequence(set(sequence(oid(COMMON_NAME), tlv(0x0c, Buffer.from('localhost')))))
  const validity = sequence(utcTime(fromDays), utcTime(toDays))
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const names = sequence(tlv(0x82, Buffer.from('localhost')), tlv(0x87, Buffer.from([127, 0, 0, 1])))
  const extensions = sequence(sequence(oid(SUBJECT_ALT_NAME), tlv(0x04, names)))
  const toBeSigned = sequence(
    tlv(0xa0, integer(2)), // version 3
    integer(1),
    algorithm,
    name,
    validity,
    name,
    spki,
    tlv(0xa3, extensions),
  )
  const signature = sign('sha256', toBeSigned, privateKey)
  const der = sequence(toBeSigned, algorithm, tlv(0x03, Buffer.concat([Buffer.from([0]), signature])))
  const base64 = der.toString('base64').replaceAll(/.{64}/g, '$&\n')
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
  }
}

// Object identifiers as their DER bytes.
const ECDSA_WITH_SHA256 = '2a8648ce3d040302'
const COMMON_NAME = '550403'
const SUBJECT_ALT_NAME = '551d11'

/** Tag, length, value. */
function tlv(tag: number, value: Buffer): Buffer {
  const { length } = value
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...head]), value])
}

const sequence = (...parts: Buffer[]): Buffer => tlv(0x30, Buffer.concat(parts))
const set = (...parts: Buffer[]): Buffer => tlv(0x31, Buffer.concat(parts))
const oid = (hex: string): Buffer => tlv(0x06, Buffer.from(hex, 'hex'))
const integer = (value: number): Buffer => tlv(0x02, Buffer.from([value]))

/** `yymmddhhmmssZ`: for years until 2049. */
const utcTime = (days: number): Buffer => {
  const digits = new Date(Date.now() + days * DAY_MS).toISOString().replaceAll(/\D/g, '')
  return tlv(0x17, Buffer.from(`${digits.slice(2, 14)}Z`))
}
