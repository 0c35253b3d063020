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
  /** Redis gets the next `count` requests in which `text` occurs, and its replies are lost with the connection. */
  loseReplies(text: string, count?: number): void
}

type Mode = 'open' | 'no_subscriptions' | 'cut'

/** Ends with the test. */
export async function startProxy(redisPort: number): Promise<Proxy> {
  const wires = new Set<{ readonly subscribes: () => boolean; readonly destroy: () => void }>()
  let mode: Mode = 'open'
  let losing = { text: '', count: 0 }
  let lost = 0

  const onClient = (client: Socket): void => {
    const server = connect(redisPort, '127.0.0.1')
    let subscriber = false
    let mute = false
    const wire = {
      subscribes: () => subscriber,
      destroy: () => {
        client.destroy()
        server.destroy()
        wires.delete(wire)
      },
    }
    wires.add(wire)
    for (const socket of [client, server]) socket.on('error', wire.destroy).on('close', wire.destroy)
    if (mode === 'cut') wire.destroy()
    client.on('data', (data) => {
      const text = data.toString('latin1')
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
      if (mute) {
        lost += 1
        wire.destroy()
      } else client.write(data)
    })
  }

  const proxy = createServer(onClient)
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const wire of wires) wire.destroy()
    proxy.close()
  })
  // A TCP server that listens has an address of this shape.
  const { port } = proxy.address() as AddressInfo
  return {
    url: `redis://127.0.0.1:${port}`,
    get lost() {
      return lost
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
