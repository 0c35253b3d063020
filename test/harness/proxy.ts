import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A wire between a process and its Redis that breaks on demand. */
export interface Proxy {
  readonly url: string
  /** How many replies were lost so far. */
  readonly lost: number
  /** Breaks all connections; new ones are broken at once, until `restore`. */
  cut(): void
  /** Breaks the connections that subscribed; those that subscribe are broken at once, until `restore`. */
  cutSubscriptions(): void
  restore(): void
  /**
   * Swallows, from now on and without a FIN or RST, what passes on the flows that are open and that `pick` takes by what
   * their client has sent so far (the first MB); new flows work. Returns how many there were.
   */
  drop(pick?: (sent: string) => boolean): number
  /** How many flows are open and work that `pick` takes. */
  count(pick: (sent: string) => boolean): number
  /** Swallows all that passes on flows that begin from now on, until `restore`. */
  mute(): void
  /** Flows that were accepted so far. */
  readonly accepted: number
  /** Replies on flows that subscribed come so late, ms, from now on. */
  delaySubscriptions(ms: number): void
  /** Redis gets the next `count` requests in which `text` occurs, and its replies are lost with the connection. */
  loseReplies(text: string, count?: number): void
}

type Mode = 'open' | 'no_subscriptions' | 'cut' | 'mute'

interface Wire {
  readonly subscribes: () => boolean
  readonly sent: () => string
  readonly works: () => boolean
  readonly drop: () => void
  readonly destroy: () => void
}

const REMEMBERED = 1_048_576

/** Ends with the test. */
export async function startProxy(redisPort: number): Promise<Proxy> {
  const wires = new Set<Wire>()
  const timers = new Set<NodeJS.Timeout>()
  let mode: Mode = 'open'
  let accepted = 0
  let delayMs = 0
  let losing = { text: '', count: 0 }
  let lost = 0

  const onClient = (client: Socket): void => {
    const server = connect(redisPort, '127.0.0.1')
    let subscriber = false
    let mute = false
    let dropped = mode === 'mute'
    let sent = ''
    accepted += 1
    const wire: Wire = {
      subscribes: () => subscriber,
      sent: () => sent,
      works: () => !dropped,
      drop: () => {
        dropped = true
      },
      destroy: () => {
        client.destroy()
        server.destroy()
        wires.delete(wire)
      },
    }
    wires.add(wire)
    client.on('error', wire.destroy).on('close', wire.destroy)
    // What Redis does of a dropped flow does not reach the client.
    const ended = () => {
      if (!dropped) wire.destroy()
    }
    server.on('error', ended).on('close', ended)
    if (mode === 'cut') wire.destroy()
    client.on('data', (data) => {
      if (dropped) return
      const text = data.toString('latin1')
      if (sent.length < REMEMBERED) sent += text
      if (/\r\nsubscribe\r\n/i.test(text)) subscriber = true
      if (subscriber && mode === 'no_subscriptions') {
        wire.destroy()
        return
      }
      if (losing.count > 0 && text.includes(losing.text)) {
        losing.count -= 1
        mute = true
      }
      server.write(data)
    })
    server.on('data', (data) => {
      if (dropped) return
      if (mute) {
        lost += 1
        wire.destroy()
      } else if (subscriber && delayMs > 0) {
        const timer = setTimeout(() => {
          timers.delete(timer)
          client.write(data)
        }, delayMs)
        timers.add(timer)
      } else client.write(data)
    })
  }

  const proxy = createServer(onClient)
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const wire of wires) wire.destroy()
    for (const timer of timers) clearTimeout(timer)
    proxy.close()
  })
  // A TCP server that listens has an address of this shape.
  const { port } = proxy.address() as AddressInfo
  return {
    url: `redis://127.0.0.1:${port}`,
    get lost() {
      return lost
    },
    get accepted() {
      return accepted
    },
    drop: (pick = () => true) => {
      const picked = [...wires].filter((wire) => pick(wire.sent()))
      for (const wire of picked) wire.drop()
      return picked.length
    },
    count: (pick) => [...wires].filter((wire) => wire.works() && pick(wire.sent())).length,
    mute: () => {
      mode = 'mute'
    },
    delaySubscriptions: (ms) => {
      delayMs = ms
    },
    cut: () => {
      mode = 'cut'
      for (const wire of wires) wire.destroy()
    },
    cutSubscriptions: () => {
      mode = 'no_subscriptions'
      for (const wire of wires) if (wire.subscribes()) wire.destroy()
    },
    restore: () => {
      mode = 'open'
    },
    loseReplies: (text, count = 1) => {
      losing = { text, count }
    },
  }
}
