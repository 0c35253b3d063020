// P15: what the API over HTTP costs: a list of 1 000 providers, 200 streams, and Redis while a stream is open.
import { Agent, get } from 'node:http'
import { Redis } from 'ioredis'
import {
  ask,
  deadline,
  endAll,
  interleaved,
  median,
  pause,
  row,
  scriptCalls,
  startRedis,
  worker,
} from './lib.mjs'

const PROVIDERS = 1_000
const ROUNDS = 40
const STREAMS = 200
const FEW = 100
const SECONDS = 20
/** The handler reads every provider so often while a stream is open, s. */
const READ_EVERY = 5

export async function run() {
  const server = await startRedis()
  const redis = new Redis(server.url)
  try {
    return [...(await many(server)), await cost(server, redis)]
  } finally {
    await redis.quit()
    await server.stop()
  }
}

const start = (server, count) => worker('parts/http-server.mjs', [server.url, String(count)])

async function many(server) {
  const child = await start(server, PROVIDERS)
  try {
    const [ours, bare] = await ask(child, 'ports')
    const bytes = await ask(child, 'prepare')
    return [await latency(ours, bare, bytes), await memory(child, ours, bare)]
  } finally {
    await endAll([child])
  }
}

async function latency(ours, bare, bytes) {
  const agent = new Agent({ keepAlive: true })
  const times = await interleaved(ROUNDS, {
    ours: () => timed(ours, '/api/providers', agent),
    bare: () => timed(bare, '/', agent),
  })
  agent.destroy()
  const what = `latency of ${PROVIDERS} providers beside a bare reply`
  const note = `${(bytes / 1e6).toFixed(1)} MB; the peer sends a text that is ready`
  return row('P15', what, {
    ours: times.ours,
    peer: times.bare,
    unit: 'ms',
    ratio: times.ours / times.bare,
    target: 2,
    note,
  })
}

async function timed(port, path, agent) {
  const began = performance.now()
  await new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent }, (answer) => {
      answer.resume().on('end', resolve).on('error', reject)
    }).on('error', reject)
  })
  return performance.now() - began
}

/** Bytes of one stream whose client has read all. */
async function memory(child, ours, bare) {
  const ofOurs = await bytesOfStreams(child, ours, '/api/stream')
  const ofBare = await bytesOfStreams(child, bare, '/stream')
  const what = `memory of each of ${STREAMS} streams, beside streams of node:http`
  return row('P15', what, { ours: ofOurs, peer: ofBare, unit: 'bytes', ratio: ofOurs / ofBare })
}

async function bytesOfStreams(child, port, path) {
  // The first stream brings what all share.
  const first = await open(port, path)
  await pause(2_000)
  const before = await ask(child, 'memory')
  const streams = []
  for (let i = 1; i < STREAMS; i += 1) streams.push(await open(port, path))
  await deadline(async () => (await ask(child, 'streams')) === STREAMS, 20_000, 'the streams')
  await pause(6_000)
  const bytes =
    median([await ask(child, 'memory'), await ask(child, 'memory'), await ask(child, 'memory')]) - before
  for (const stream of [first, ...streams]) stream.destroy()
  await deadline(async () => (await ask(child, 'streams')) === 0, 20_000, 'the end of the streams')
  return bytes / (STREAMS - 1)
}

const open = (port, path) =>
  new Promise((resolve, reject) => {
    const asked = get({ host: '127.0.0.1', port, path, agent: false }, (answer) => {
      answer.resume().on('error', () => undefined)
      resolve(asked)
    })
    asked.on('error', reject)
  })

async function cost(server, redis) {
  await redis.flushall()
  const child = await start(server, FEW)
  try {
    const [port] = await ask(child, 'ports')
    const streams = [await open(port, '/api/stream'), await open(port, '/api/stream')]
    await pause(2_000)
    await redis.config('RESETSTAT')
    await pause(SECONDS * 1_000)
    const { calls } = await scriptCalls(redis)
    for (const stream of streams) stream.destroy()
    const what = `script calls per second, two streams open, ${FEW} idle providers`
    const [ours, peer] = [calls / SECONDS, FEW / READ_EVERY]
    return row('P15', what, { ours, peer, unit: 'calls/s', ratio: ours / peer, target: 1.1 })
  } finally {
    await endAll([child])
  }
}
