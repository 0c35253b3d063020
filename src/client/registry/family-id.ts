import { createHash } from 'node:crypto'
import { show } from '../../config/show.js'
import { ArgumentError } from '../../model/errors.js'

/** Letters of an id that stand for themselves. `@` begins a letter that does not. */
const PLAIN = /^[A-Za-z0-9._:/-]+$/
const OTHER = /[^A-Za-z0-9._:/-]/gu
const MAX_ID_LENGTH = 128
/** Hex digits of the digest in the id of a long key: two keys with the same are not to be expected. */
const DIGEST_LENGTH = 32

/**
 * The id of a member: `<family>/<key>`; of a family with an empty name, the key. Letters that no id has are written as `@` and
 * the hex of their UTF-8 bytes, and so is `@`; a key that makes too long an id is cut, and ends with `@@` and a digest of all
 * of it. Two keys never have one id. @throws ArgumentError
 */
export function familyId(family: string, key: unknown): string {
  if (typeof key !== 'string' || key === '') {
    throw new ArgumentError('key', `key: expected text of at least one character, got ${show(key)}`)
  }
  const prefix = family === '' ? '' : `${family}/`
  const id = prefix + (PLAIN.test(key) ? key : key.replace(OTHER, encoded))
  if (id.length <= MAX_ID_LENGTH) return id
  const digest = createHash('sha256').update(key, 'utf16le').digest('hex').slice(0, DIGEST_LENGTH)
  const room = MAX_ID_LENGTH - DIGEST_LENGTH - 2
  // Half of an encoded letter is left out.
  return `${id.slice(0, room).replace(/@[^@]{0,4}$/, '')}@@${digest}`
}

function encoded(letter: string): string {
  // Half of a surrogate pair has no UTF-8.
  const code = letter.charCodeAt(0)
  if (letter.length === 1 && code >= 0xd800 && code <= 0xdfff) return `@u${code.toString(16)}`
  return [...Buffer.from(letter)].map((byte) => `@${byte.toString(16).padStart(2, '0')}`).join('')
}
