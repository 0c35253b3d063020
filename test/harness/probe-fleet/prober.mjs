// One process that probes, until it is killed, told to end, or left alone.
import { load } from './workers.mjs'

const [redis, workerId, commandTimeoutMs] = process.argv.slice(2)
const { connect } = await load('index.js')
const busbar = await connect({
  redis,
  workerId,
  logger: false,
  commandTimeoutMs: Number(commandTimeoutMs),
})
for (;;) {
  try {
    await busbar.startProbes()
    break
  } catch (error) {
    if (error.code !== 'redis_unavailable') throw error // else the machine is busy, and it may be asked again
  }
}
process.once('disconnect', () => process.exit())
process.once('message', async () => {
  await busbar.close()
  process.exit()
})
process.send('ready')
