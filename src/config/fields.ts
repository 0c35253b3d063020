import type { SettingField, SettingValue } from '../model/setting-fields.js'
import { custom, Problem, refine, type Schema } from './schema.js'

export const DAY = 86_400_000

/** A whole number within bounds; the message says which. */
export const whole = (min: number, max: number): Schema<number> =>
  custom(
    (value): value is number => Number.isSafeInteger(value) && isWithin(Number(value), min, max),
    `expected a whole number from ${min} to ${max}`,
  )

/** Any finite number within bounds. */
export const number = (min: number, max: number): Schema<number> =>
  custom(
    (value): value is number => isNumber(value) && isWithin(value, min, max),
    `expected a number from ${min} to ${max}`,
  )

const isWithin = (value: number, min: number, max: number) => value >= min && value <= max

/** Any but NaN and the infinite. */
export const isNumber = (value: unknown): value is number => Number.isFinite(value)

export const bool = (): Schema<boolean> =>
  custom((value) => typeof value === 'boolean', 'expected true or false')

/** Text of at most so many characters. */
export const anyText = (maxLength: number, error: string): Schema<string> =>
  custom((value): value is string => typeof value === 'string' && value.length <= maxLength, error)

/** The same, with half of a surrogate pair replaced by U+FFFD. */
export const text = (maxLength: number): Schema<string> =>
  refine(anyText(maxLength, `expected text of at most ${maxLength} characters`), (value) =>
    value.toWellFormed(),
  )

/** Text of at most so many characters in which `pattern` is found. */
export const matching = (maxLength: number, pattern: RegExp, error: string): Schema<string> =>
  refine(anyText(maxLength, error), (value) => {
    if (pattern.test(value)) return value
    throw new Problem(error)
  })

export const oneOf = <const T extends readonly [string, ...string[]]>(values: T): Schema<T[number]> =>
  custom(
    (value): value is T[number] => values.some((known) => known === value),
    `expected one of ${values.join(', ')}`,
  )

/** The one word that the schema was chosen by. */
export const literal = <const T extends string>(word: T): Schema<T> => oneOf([word])

export const fn = <T extends (...args: never[]) => unknown>(): Schema<T> =>
  custom((value): value is T => typeof value === 'function', 'expected a function')

const NAME = /^[A-Za-z0-9._:/@-]{1,128}$/

export const isName = (text: string): boolean => NAME.test(text)

/** Ids of providers, namespaces and workers: they become parts of keys. */
export const name = (): Schema<string> =>
  matching(128, NAME, 'expected 1 to 128 characters of A-Z a-z 0-9 . _ : / @ -')

/** What a field of the table of settings accepts. */
export function schemaOf(field: SettingField): Schema<SettingValue> {
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

/** A problem whose message shows the values already, or must not show them. */
export const complete = (message: string, ...path: string[]): Problem =>
  new Problem(message, path, 'complete')
