import { ArgumentError } from '../model/errors.js'
import { show } from './show.js'

/** Refuses options that are no object, or have an unknown key. Written by hand: a schema would cost every call too much. */
export function checkKeys(options: unknown, known: readonly string[], of: string): void {
  if (typeof options !== 'object' || options === null) {
    throw new ArgumentError('options', `options of ${of}: expected an object, got ${show(options)}`)
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw new ArgumentError(key, `${key}: unknown option of ${of} (known: ${known.join(', ')})`)
    }
  }
}
