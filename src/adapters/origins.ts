/** `https://api.example.com:8443`, in the letters that the origin itself has: what follows is the path, and changes nothing of it. */
const PLAIN = /^https?:\/\/[a-z0-9.-]+(:\d+)?$/
/** `https://`: the path begins after it. */
const SCHEME_LENGTH = 8
const MAX_KNOWN = 1_000

/** `data:`, `blob:` and the like belong to no server, and no client of HTTP speaks another protocol. */
export const hasServer = ({ protocol }: URL): boolean => protocol === 'https:' || protocol === 'http:'

/** The origins of URLs. Most requests of a program go to a few servers: reading a whole URL for each costs a microsecond. */
export class Origins {
  /** By the part of the URL before its path. */
  readonly #known = new Map<string, string>()

  /** Undefined for what is no URL, or belongs to no server, as `data:`. */
  of(url: string): string | undefined {
    const end = url.indexOf('/', SCHEME_LENGTH)
    const start = end < 0 ? url : url.slice(0, end)
    return this.#known.get(start) ?? this.#read(url, start)
  }

  #read(url: string, start: string): string | undefined {
    if (!URL.canParse(url)) return undefined
    const read = new URL(url)
    if (!hasServer(read)) return undefined
    const { origin } = read
    if (!PLAIN.test(start)) return origin
    // A program that calls ever new servers: what is known is dropped.
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    this.#known.set(start, origin)
    return origin
  }
}
