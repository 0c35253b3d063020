import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Where `busbar ui` and `busbar start` listen, if nothing else does. */
export const USUAL_PORT = 8_379
/** How many ports above a taken one are tried. */
const TRIED = 100

/** Listens on `port`, or on the next free one above it. Answers which. @throws the error of the system */
export async function listen(server: Server, host: string, port: number): Promise<number> {
  for (let tried = port; ; tried += 1) {
    try {
      await listenAt(server, host, tried)
      const address = server.address() as AddressInfo // it listens on a port
      return address.port
    } catch (error) {
      const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
      if (!taken || tried >= Math.min(port + TRIED, 65_535)) throw error
    }
  }
}

function listenAt(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
