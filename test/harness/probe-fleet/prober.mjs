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
await busbar.startProbes()
process.once('disconnect', () => process.exit())
process.once('message', async () => {
  await busbar.close()
  process.exit()
})
process.send('ready')
