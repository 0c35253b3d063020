// A process that calls one provider at a steady rate, guarded by Busbar or by a breaker of its own, as it is told.
import { connect as openSocket } from 'node:net'
import { circuitBreaker, ConsecutiveBreaker, handleAll } from 'cockatiel'
import { connect } from '../../dist/index.js'
import { serve } from '../lib.mjs'

const [redis, port, id] = process.argv.slice(2)
const CALLS_PER_SECOND = 20
const THRESHOLD = 3
const COOLDOWN_MS = 30_000
const OK = '+'.charCodeAt(0)

// Fifty processes that start together are slow to be answered.
const busbar = await connect({ redis, logger: false, commandTimeoutMs: 2_000 })
const breaker = { failureThreshold: THRESHOLD, cooldownMs: COOLDOWN_MS }
const provider = await busbar.provider(id, { breaker })
const socket = openSocket(Number(port), '127.0.0.1').setNoDelay()
/** Those who wait for an answer, in the order in which they asked. */
const asked = []
socket.on('data', (answers) => {
  for (const answer of answers) asked.shift()(answer)
})

/** One call: a byte there, a byte back. Fifty processes that speak HTTP would keep a small machine busy by that alone. */
const call = async () => {
  socket.write('?')
  const answer = await new Promise((resolve) => asked.push(resolve))
  if (answer !== OK) throw new Error('failed')
}

const guards = {
  busbar: () => () => provider.execute(call),
  cockatiel: () => {
    const own = new ConsecutiveBreaker(THRESHOLD)
    const policy = circuitBreaker(handleAll, { halfOpenAfter: COOLDOWN_MS, breaker: own })
    return () => policy.execute(call)
  },
}

let timer

serve(
  {
    /** Each process begins at another moment of its period. */
    begin: (guard) => {
      const guarded = guards[guard]()
      const beat = () => guarded().catch(() => undefined)
      const periodMs = 1_000 / CALLS_PER_SECOND
      timer = setTimeout(() => {
        beat()
        timer = setInterval(beat, periodMs)
      }, Math.random() * periodMs)
    },
    end: () => clearInterval(timer),
    flush: () => provider.flush(),
  },
  async () => {
    socket.destroy()
    await busbar.close()
  },
)
