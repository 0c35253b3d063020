import * as v from 'valibot'
import type { SettingField, SettingValue } from '../model/setting-fields.js'

export const DAY = 86_400_000

/** A whole number within bounds; the message says which. */
export const whole = (min: number, max: number) => {
  const error = `expected a whole number from ${min} to ${max}`
  return v.pipe(v.number(error), v.safeInteger(error), v.minValue(min, error), v.maxValue(max, error))
}

/** Any finite number within bounds. */
export const number = (min: number, max: number) => {
  const error = `expected a number from ${min} to ${max}`
  return v.pipe(v.number(error), v.minValue(min, error), v.maxValue(max, error))
}

export const bool = () => v.boolean('expected true or false')

/** Text in which half of a surrogate pair becomes U+FFFD: Redis could not keep it, and the length stays the same. */
export const text = (maxLength: number) => {
  const error = `expected text of at most ${maxLength} characters`
  return v.pipe(
    v.string(error),
    v.transform((value) => value.toWellFormed()),
    v.maxLength(maxLength, error),
  )
}

/** Text as it is, which must match `pattern`. */
export const matching = (pattern: RegExp, error: string) => v.pipe(v.string(error), v.regex(pattern, error))

export const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  v.picklist(values, `expected one of ${values.join(', ')}`)

const NAME = /^[A-Za-z0-9._:/@-]{1,128}$/
const NAME_ERROR = 'expected 1 to 128 characters of A-Z a-z 0-9 . _ : / @ -'

/** Ids of providers, namespaces and workers: they become parts of keys. */
export const name = (error = NAME_ERROR) => matching(NAME, error)

/** The schema of a field in the table of settings. */
export function schemaOf(field: SettingField): v.GenericSchema<SettingValue> {
  switch (field.type) {
    case 'whole':
      return field.nullable === true ? v.nullable(whole(field.min, field.max)) : whole(field.min, field.max)
    case 'number':
      return number(field.min, field.max)
    case 'flag':
      return bool()
    case 'word':
      return oneOf(field.words)
    default:
      return field satisfies never
  }
}
