/**
 * Tells a proxy that fails from a provider that the proxy does not reach, where its answer may mean either: a 5xx to
 * CONNECT, silence, a connection that it closes. The proxy is at fault until, after the first such failure, it has
 * carried a probe of another host: then it works, and the provider is what failed.
 *
 * A proxy that leads to one host alone gives no such evidence, and the provider is not charged. One instance a process.
 */
export class ProxyBlame {
  readonly #proxies = new Map<string, Proxied>()

  /** An answer of this host came through the proxy. */
  carried(proxy: string, host: string): void {
    const { failing } = this.#of(proxy)
    failing.delete(host)
    // For all others that fail at the moment this is the other host.
    for (const other of failing.keys()) failing.set(other, true)
  }

  /** The proxy brought no answer of this host. Whether it is the provider that failed. */
  isProvider(proxy: string, host: string): boolean {
    const { failing } = this.#of(proxy)
    const known = failing.get(host)
    if (known === undefined) {
      failing.set(host, false)
      if (failing.size > MAX_FAILING) failing.delete(failing.keys().next().value ?? '')
    }
    return known === true
  }

  #of(proxy: string): Proxied {
    const known = this.#proxies.get(proxy)
    if (known !== undefined) return known
    if (this.#proxies.size >= MAX_PROXIES) this.#proxies.delete(this.#proxies.keys().next().value ?? '')
    const added: Proxied = { failing: new Map() }
    this.#proxies.set(proxy, added)
    return added
  }
}

interface Proxied {
  /** Hosts that fail, and whether another was carried since they began to. */
  readonly failing: Map<string, boolean>
}

const MAX_PROXIES = 16
const MAX_FAILING = 1_000
