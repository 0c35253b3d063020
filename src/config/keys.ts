import { ArgumentError } from '../model/errors.js'
import { show } from './show.js'

/** By hand, for what is on the way of every call: options must be an object, and have no key that is not known. */
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
