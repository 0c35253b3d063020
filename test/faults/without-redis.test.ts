import { expect, onTestFinished, test } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { freePort } from '../../src/embedded/port.js'
import { connect } from '../../src/index.js'
import { figure } from '../support/figure.js'
import { startUpstream } from '../support/http-upstream.js'
import { expectSoon } from './workers.js'

test('startProbes while Redis is down says so; asked again when it is there it probes, and goes on after the next loss', async () => {
  const port = await freePort()
  const upstream = await startUpstream()
  const busbar = await connect({
    redis: `redis://127.0.0.1:${port}`,
    logger: false,
    providers: { openai: { probe: { kind: 'http', url: upstream.url, intervalMs: 200, timeoutMs: 150 } } },
  })
  onTestFinished(() => busbar.close({ timeoutMs: 1_000 }))
  const began = performance.now()
  await expect(busbar.startProbes()).rejects.toMatchObject({ code: 'redis_unavailable', lasting: false })
  const saidMs = performance.now() - began

  const first = await startRedis({ port })
  onTestFinished(() => first.stop())
  await expectSoon('joined', () => Promise.resolve(busbar.degradedSince === undefined))
  // The one that was refused left nothing behind: no probe before it is asked again.
  expect(upstream.requests).toEqual([])
  const probes = await busbar.startProbes()
  const more = async (count: number) => {
    const { length } = upstream.requests
    await expectSoon(`${count} probes`, () => Promise.resolve(upstream.requests.length >= length + count))
  }
  await more(3)

  await first.stop()
  await expectSoon('lost', () => Promise.resolve(busbar.degradedSince !== undefined))
  const second = await startRedis({ port })
  onTestFinished(() => second.stop())
  const backAt = performance.now()
  await more(3)
  const goesOnMs = performance.now() - backAt
  await probes.close()
  figure(
    13,
    `startProbes without Redis refused after ${saidMs.toFixed(0)} ms; three probes within ${goesOnMs.toFixed(0)} ms ` +
      `of the return of a Redis that was lost and came back empty`,
  )
})
