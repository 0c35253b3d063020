import { inspect } from 'node:util'
import type { Logger } from '../../src/index.js'

/** Everything that came out of a process for people to read, and what must not be in it. */
export class Leaks {
  readonly #out: string[] = []

  /** As `util.inspect` shows it to any depth, and as JSON with every own field. */
  add(from: string, value: unknown): void {
    const inspected =
      typeof value === 'string'
        ? value
        : inspect(value, {
            depth: Infinity,
            showHidden: true,
            maxStringLength: Infinity,
            maxArrayLength: Infinity,
          })
    this.#out.push(`${from}: ${inspected}\n${ownFields(value)}`)
  }

  readonly logger: Logger = {
    debug: (...line) => this.add('log', line),
    info: (...line) => this.add('log', line),
    warn: (...line) => this.add('log', line),
    error: (...line) => this.add('log', line),
  }

  get count(): number {
    return this.#out.length
  }

  says(text: string): boolean {
    return this.lines(text) > 0
  }

  lines(text: string): number {
    return this.#out.filter((out) => out.includes(text)).length
  }

  /** Each place where one of the secrets stands, shortened. */
  of(secrets: readonly string[]): string[] {
    return this.#out.flatMap((out) =>
      secrets.flatMap((secret) => {
        const at = out.indexOf(secret)
        return at < 0 ? [] : [`${secret} in: ...${out.slice(Math.max(0, at - 200), at + 80)}...`]
      }),
    )
  }
}

function ownFields(value: unknown): string {
  const seen = new Set<object>()
  const json: unknown = JSON.stringify(value, (_name, inner: unknown) => {
    if (typeof inner === 'bigint') return String(inner)
    if (typeof inner !== 'object' || inner === null) return inner
    if (seen.has(inner)) return '[again]'
    seen.add(inner)
    return Object.fromEntries(
      Object.getOwnPropertyNames(inner).map((name): [string, unknown] => [name, Reflect.get(inner, name)]),
    )
  })
  return String(json) // undefined for a function
}
