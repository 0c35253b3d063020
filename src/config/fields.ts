import { z } from 'zod'
import type { SettingField, SettingValue } from '../model/setting-fields.js'

export const DAY = 86_400_000

/** A whole number within bounds; the message says which. */
export const whole = (min: number, max: number) => {
  const error = `expected a whole number from ${min} to ${max}`
  return z.int({ error }).min(min, { error }).max(max, { error })
}

/** Any finite number within bounds. */
export const number = (min: number, max: number) => {
  const error = `expected a number from ${min} to ${max}`
  return z.number({ error }).min(min, { error }).max(max, { error })
}

export const bool = () => z.boolean({ error: 'expected true or false' })

/** Half of a surrogate pair in it becomes U+FFFD. */
export const text = (maxLength: number) => {
  const error = `expected text of at most ${maxLength} characters`
  return z
    .string({ error })
    .max(maxLength, { error })
    .overwrite((value) => value.toWellFormed())
}

export const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: `expected one of ${values.join(', ')}` })

const NAME = /^[A-Za-z0-9._:/@-]{1,128}$/

/** Ids of providers, namespaces and workers: they become parts of keys. */
export const name = () => {
  const error = 'expected 1 to 128 characters of A-Z a-z 0-9 . _ : / @ -'
  return z.string({ error }).regex(NAME, { error })
}

/** What a field of the table of settings accepts. */
export function schemaOf(field: SettingField): z.ZodType<SettingValue> {
  switch (field.type) {
    case 'whole':
      return whole(field.min, field.max)
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
