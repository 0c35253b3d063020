// A process that probes, until it is killed, told to end, or left alone. Its argument: what `startWorker` is given, as JSON.
import { load } from './workers.mjs'

const { redis, workerId, commandTimeoutMs, count = 1, calls } = JSON.parse(process.argv[2])
const { connect } = await load('index.js')

/** A check in this worker's own code. It signs as Busbar's own probes do. */
const model = async ({ signal }) => {
  const headers = { 'user-agent': `model (${workerId})` }
  return (await globalThis.fetch(calls, { headers, signal })).ok
}
const functions = calls === undefined ? {} : { model }

async function start(i) {
  const id = count === 1 ? workerId : `${workerId}-${i + 1}`
  const busbar = await connect({ redis, workerId: id, logger: false, commandTimeoutMs })
  for (;;) {
    try {
      await busbar.startProbes({ functions })
      return busbar
    } catch (error) {
      if (error.code !== 'redis_unavailable') throw error // else the machine is busy, and it may be asked again
    }
  }
}

// First: a parent that is gone must not leave it asking for ever.
process.once('disconnect', () => process.exit())
const busbars = []
for (let i = 0; i < count; i += 1) busbars.push(await start(i))
process.once('message', async () => {
  await Promise.all(busbars.map((busbar) => busbar.close()))
  process.exit()
})
process.send('ready')
