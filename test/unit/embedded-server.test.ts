import { existsSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'

import { afterEach, describe, expect, it } from 'vitest'

import { startRedis } from '../../src/embedded/index.js'
import type { EmbeddedRedis, StartOptions } from '../../src/embedded/index.js'
import { isAlive } from '../harness/process.js'

const started: EmbeddedRedis[] = []

async function start(options: StartOptions = {}): Promise<EmbeddedRedis> {
  const redis = await startRedis(options)
  started.push(redis)
  return redis
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((redis) => redis.stop()))
})

/** One inline command, one reply, over a raw socket. */
function ask(port: number, command: string, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, timeout: 2_000 }, () => socket.write(`${command}\r\n`))
    socket.once('data', (chunk) => {
      socket.destroy()
      resolve(chunk.toString('latin1'))
    })
    socket.once('error', reject)
    socket.once('timeout', () => socket.destroy(new Error('timeout')))
  })
}

describe('a private Redis', () => {
  it('answers as soon as it is started', async () => {
    const redis = await start()
    expect(redis.url).toBe(`redis://127.0.0.1:${redis.port}`)
    expect(await ask(redis.port, 'PING')).toBe('+PONG\r\n')
    expect(await ask(redis.port, 'INFO server')).toContain(`process_id:${redis.pid}\r\n`)
  })

  it('listens on the loopback address only', async () => {
    const redis = await start()
    const others = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
    for (const { address, family, internal } of others) {
      if (internal || family !== 'IPv4') continue
      await expect(ask(redis.port, 'PING', address)).rejects.toThrow(/ECONNREFUSED/)
    }
    expect(await ask(redis.port, 'CONFIG GET bind')).toContain('\r\n127.0.0.1\r\n')
  })

  it('keeps nothing on disk', async () => {
    const redis = await start()
    expect(await ask(redis.port, 'CONFIG GET save')).toBe('*2\r\n$4\r\nsave\r\n$0\r\n\r\n')
    expect(await ask(redis.port, 'CONFIG GET appendonly')).toContain('\r\nno\r\n')
  })
})

describe('the end of a private Redis', () => {
  it('takes its folder along, and stop may be called again', async () => {
    const redis = await start()
    expect(existsSync(redis.home)).toBe(true)
    await Promise.all([redis.stop(), redis.stop()])
    await redis.stop()
    expect(isAlive(redis.pid)).toBe(false)
    expect(existsSync(redis.home)).toBe(false)
  })

  it('comes although it is frozen', async () => {
    const redis = await start()
    process.kill(redis.pid, 'SIGSTOP')
    await redis.stop()
    expect(isAlive(redis.pid)).toBe(false)
  })

  it('is announced when it came by itself, and still cleans up', async () => {
    const redis = await start()
    process.kill(redis.pid, 'SIGKILL')
    await redis.exited
    expect(existsSync(redis.home)).toBe(false)
    await redis.stop()
  })
})

describe('starting a private Redis', () => {
  it('works again on the port it had', async () => {
    const first = await start()
    await first.stop()
    const second = await start({ port: first.port })
    expect(second.port).toBe(first.port)
  })

  it('names the port that is taken', async () => {
    const redis = await start()
    await expect(start({ port: redis.port })).rejects.toThrow(`127.0.0.1:${redis.port}`)
  })

  it('does not take another Redis on its port for its own', async () => {
    // Stands for a Redis that took the port in the meantime: answers, but is another process.
    const impostor = createServer((socket) =>
      socket.on('data', () => socket.write('$14\r\nprocess_id:1\r\n\r\n')),
    )
    const port = await new Promise<number>((resolve) => {
      impostor.listen(0, '127.0.0.1', () => {
        const address = impostor.address()
        if (address !== null && typeof address === 'object') resolve(address.port)
      })
    })
    await expect(start({ port })).rejects.toThrow(/Address already in use|listening/)
    impostor.close()
  })

  it('runs the executable that Debian calls redis-check-rdb', async ({ task, skip }) => {
    const path = ['/usr/bin/redis-check-rdb', '/usr/local/bin/redis-check-rdb'].find((file) =>
      existsSync(file),
    )
    if (path === undefined) {
      task.meta.skipReason = 'this machine has no redis-check-rdb'
      return skip(task.meta.skipReason)
    }
    const redis = await start({ binary: { path, argv0: 'redis-server' } })
    expect(await ask(redis.port, 'PING')).toBe('+PONG\r\n')
  })

  it('says what went wrong with a server that cannot be started', async () => {
    const binary = { path: '/nonexistent/redis-server', argv0: 'redis-server' }
    await expect(start({ binary })).rejects.toThrow(/\/nonexistent\/redis-server .*ended at once/)
  })
})
