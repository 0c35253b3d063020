import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A TCP port on 127.0.0.1 that was free a moment ago. Only binding it proves that it still is. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port)
        else reject(new Error('the system gave no port'))
      })
    })
  })
}

interface Awaited {
  port: number
  /** Pid that the answering server must have. */
  pid: number
  /** On the clock of `performance.now()`, ms. */
  deadline: number
  signal: AbortSignal
}

const pollMs = 10

/**
 * Waits until the server with this pid answers on this port; false at the deadline or when aborted. The pid
 * matters: when the port was taken by another Redis in the meantime, that one would answer a PING just as well.
 */
export async function waitUntilServing({ port, pid, deadline, signal }: Awaited): Promise<boolean> {
  while (!signal.aborted && performance.now() < deadline) {
    const reply = await ask(port, Math.min(500, deadline - performance.now()))
    // A server with a password refuses to give its pid. Its answer must do.
    if (reply.includes(`process_id:${pid}\r\n`) || reply.startsWith('-NOAUTH')) return true
    await sleep(pollMs)
  }
  return false
}

/** The INFO text of the server on this port, or the part of it that came; empty when nothing listens. */
function ask(port: number, timeoutMs: number): Promise<string> {
  return new Promise((resolve) => {
    let reply = ''
    const socket = connect({ port, host: '127.0.0.1' })
    const finish = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(reply)
    }
    const timer = setTimeout(finish, Math.max(1, timeoutMs))
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      reply += chunk
      if (reply.startsWith('-') || /process_id:\d+\r\n/.test(reply)) finish()
    })
    socket.on('error', finish)
    socket.on('close', finish)
    socket.on('connect', () => socket.write('INFO server\r\n'))
  })
}
