/**
 * What a value must be. A schema answers the value as it is kept (defaults filled in), or throws a `Problem`: the first one
 * that it finds, because a message names one path.
 *
 * Written by hand, because it is on the way of every process that starts: a library of schemas takes about as long to load as
 * the client of Redis does, and every message is our own anyway.
 */
export type Schema<T> = (value: unknown) => T

/** What a schema answers. */
export type Output<S> = S extends Schema<infer T> ? T : never

/** Why a value is not accepted, and where in it. `check.ts` makes an error of the library from it. */
export class Problem extends Error {
  readonly path: readonly string[]
  /** `value`: the message ends with the value. `complete`: it shows the values already, or must not. `unknown`: no such key. */
  readonly shows: 'value' | 'complete' | 'unknown'

  constructor(message: string, path: readonly string[] = [], shows: Problem['shows'] = 'value') {
    super(message)
    this.path = path
    this.shows = shows
  }
}

/** Answers what `parse` does; a problem stands below `key`. */
function at<T>(key: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    throw new Problem(error.message, [key, ...error.path], error.shows)
  }
}

/** Refuses with `error` what `accepts` does not. */
export const custom =
  <T>(accepts: (value: unknown) => value is T, error: string): Schema<T> =>
  (value) => {
    if (accepts(value)) return value
    throw new Problem(error)
  }

export const anything: Schema<unknown> = (value) => value

/** Left out, or undefined, it stays undefined. */
export const optional =
  <T>(schema: Schema<T>): Schema<T | undefined> =>
  (value) =>
    value === undefined ? undefined : schema(value)

/** Left out, it is `fallback`, which is not checked. */
export const withDefault =
  <T>(schema: Schema<T>, fallback: T): Schema<T> =>
  (value) =>
    value === undefined ? fallback : schema(value)

/** Judges what `schema` answers once more: `judge` throws a `Problem`, or answers the value that is kept. */
export const refine =
  <T, U>(schema: Schema<T>, judge: (value: T) => U): Schema<U> =>
  (value) =>
    judge(schema(value))

export type Shape = Readonly<Record<string, Schema<unknown>>>

/** Keys whose values may be undefined may be missing: `object` leaves them out. */
export type OutputOf<S extends Shape> = {
  readonly [K in keyof S as undefined extends Output<S[K]> ? never : K]: Output<S[K]>
} & {
  readonly [K in keyof S as undefined extends Output<S[K]> ? K : never]?: Exclude<Output<S[K]>, undefined>
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** An object with these keys, whatever others it has; they are left out, and so is what is undefined. */
export const looseObject =
  <S extends Shape>(shape: S, error = 'expected an object'): Schema<OutputOf<S>> =>
  (value) => {
    if (!isObject(value)) throw new Problem(error)
    const kept: Record<string, unknown> = {}
    for (const [key, schema] of Object.entries(shape)) {
      const inner: unknown = at(key, () => schema(Reflect.get(value, key)))
      if (inner !== undefined) kept[key] = inner
    }
    // One value for each key of the shape, as its schema answered it; nothing but undefined is left out.
    return kept as OutputOf<S>
  }

/** An object with these keys and no others. What is undefined is left out. */
export function object<S extends Shape>(shape: S, error?: string): Schema<OutputOf<S>> {
  const loose = looseObject(shape, error)
  return (value) => {
    const kept = loose(value)
    // Those that it inherits too.
    for (const key in Object(value)) {
      if (!Object.hasOwn(shape, key)) throw new Problem('unknown setting', [key], 'unknown')
    }
    return kept
  }
}

/** An object of any keys, which is kept as it is. */
export const anyObject = custom(isObject, 'expected an object')

/** No instance of a class, whose entries are not what it holds. Objects of another realm have another `Object`. */
function isPlain(value: unknown): value is object {
  if (!isObject(value)) return false
  const { constructor: made }: { constructor?: unknown } = value
  if (typeof made !== 'function') return true
  const prototype: unknown = made.prototype
  return isObject(prototype) && Object.hasOwn(prototype, 'isPrototypeOf')
}

/** A plain object of any names that `isName` accepts; `schema` judges each value. */
export const record =
  <T>(schema: Schema<T>, error: string, isName?: (name: string) => boolean): Schema<Record<string, T>> =>
  (value) => {
    if (!isPlain(value)) throw new Problem(error)
    const judge = ([name, inner]: [string, unknown]): [string, T] => {
      if (isName?.(name) === false) throw new Problem(error, [name])
      return [name, at(name, () => schema(inner))]
    }
    return Object.fromEntries(Object.entries(value).map(judge))
  }

/** A list of `min` to `max` values. */
export const list =
  <T>(schema: Schema<T>, [min, max]: readonly [number, number], error: string): Schema<T[]> =>
  (value) => {
    if (!Array.isArray(value) || value.length < min || value.length > max) throw new Problem(error)
    return value.map((inner, index) => at(String(index), () => schema(inner)))
  }
