/**
 * Remembers checked settings by their input. A process often has thousands of providers with the same settings, and
 * checking costs more than the rest of a registration. The results are frozen, because they are shared.
 */
export class SettingsMemo<T extends object> {
  readonly #known = new Map<string, T>()

  get(key: string, make: () => T): T {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const made = freeze(make())
    const [oldest] = this.#known.keys()
    if (oldest !== undefined && this.#known.size >= MAX_KNOWN) this.#known.delete(oldest)
    this.#known.set(key, made)
    return made
  }
}

const MAX_KNOWN = 64

function freeze<T extends object>(value: T): T {
  for (const inner of Object.values(value) as unknown[]) {
    if (typeof inner === 'object' && inner !== null) freeze(inner)
  }
  return Object.freeze(value)
}

/** Deeper than any settings: input below this depth is an error, and may be a cycle. */
const MAX_DEPTH = 8

/**
 * Plain data as text, equal where the schema cannot distinguish two inputs. Undefined for anything else (an instance
 * of a class, a function, NaN), which is checked each time.
 */
export function plainKey(value: unknown, depth = 0): string | undefined {
  if (value === undefined) return 'u'
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined
  if (typeof value !== 'object' || depth > MAX_DEPTH) return undefined
  const list = Array.isArray(value)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (!list && prototype !== Object.prototype && prototype !== null) return undefined
  let key = list ? '[' : '{'
  for (const [name, inner] of Object.entries(value) as [string, unknown][]) {
    const part = plainKey(inner, depth + 1)
    if (part === undefined) return undefined
    key += `${JSON.stringify(name)}:${part},`
  }
  return `${key}${list ? ']' : '}'}`
}
