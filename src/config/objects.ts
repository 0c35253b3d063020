import * as v from 'valibot'

/** Schemas of objects that refuse lists: to Valibot itself a list is an object too. */

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** An object of any fields, which is kept as it is. */
export const anyObject = (error = 'expected an object') => v.custom<object>(isObject, error)

/** An object with these fields and no others. */
export const object = <const E extends v.ObjectEntries>(entries: E, error?: string) =>
  v.pipe(anyObject(error), fieldsOf(entries))

/** The same for a value that is known to be an object. A missing field is judged as if it were undefined. */
export const fieldsOf = <const E extends v.ObjectEntries>(entries: E) =>
  v.strictObject(entries, ({ expected, path }) => {
    if (expected === UNKNOWN) return 'unknown setting'
    const missing = entries[String(path?.[0].key)]
    const [issue] = (missing && v.safeParse(missing, undefined).issues) ?? []
    return issue?.message ?? 'expected a value'
  })

/** The expectation that `v.strictObject` reports for an unknown name. */
export const UNKNOWN = 'never'

/** A plain object of names and values, as a map: `v.record` would leave out names such as `constructor` in silence. */
export const mapOf = <K extends v.GenericSchema<string>, V extends v.GenericSchema>(
  key: K,
  value: V,
  error: string,
) => v.pipe(v.custom<object>(isPlain, error), v.transform(entriesOf), v.map(key, value))

/** A record of names and values, parsed to an object. */
export const recordOf = <V extends v.GenericSchema>(key: v.GenericSchema<string>, value: V, error: string) =>
  v.pipe(
    mapOf(key, value, error),
    v.transform((map): Record<string, v.InferOutput<V>> => Object.fromEntries(map)),
  )

/** Whether a value is a plain object. The entries of a class instance are not its content; another realm has another `Object`. */
function isPlain(value: unknown): boolean {
  if (!isObject(value)) return false
  const { constructor: made }: { constructor?: unknown } = value
  if (typeof made !== 'function') return true
  const prototype: unknown = made.prototype
  return isObject(prototype) && Object.hasOwn(prototype, 'isPrototypeOf')
}

/** The own entries. Symbols are included, so that the schema refuses them. `__proto__` is left out: it names no field. */
function entriesOf(given: object): Map<unknown, unknown> {
  const own = { ...given }
  const keys = Reflect.ownKeys(own).filter((key) => key !== '__proto__')
  return new Map(keys.map((key) => [key, Reflect.get(own, key)]))
}

/** A list of 1 to `max` values. */
export const listOf = <S extends v.GenericSchema>(value: S, max: number, error: string) =>
  v.pipe(v.array(value, error), v.nonEmpty(error), v.maxLength(max, error))
