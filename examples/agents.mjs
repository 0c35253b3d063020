// An agent that is a child process: its exit code, its heartbeat and its progress, judged by one probe.
// Start Redis, then:
//   REDIS_URL=redis://127.0.0.1:6379 node agents.mjs
//
// The probe is of kind `heartbeat`, with the process beside it: whoever registered the process (this file, the agent's
// home) sees at once how it ended; every other probe worker of the fleet still hears it fall silent.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { connect } from 'busbar'

const redis = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'

if (process.argv[2] === 'agent') await work(Number(process.argv[3]))
else await lookAfter()

/** The agent: reports each step. After `steps` of them it hangs for a while, and dies. */
async function work(steps) {
  process.stdin.on('end', () => process.exit()).resume() // it ends with its home
  const busbar = await connect({ redis })
  const self = await busbar.provider('agent-1')
  let done = 0
  setInterval(() => {
    if (done < steps) done += 1
    // It may fail while Redis is away; the next one will tell.
    self.heartbeat({ progress: done }).catch(() => {})
    if (done === steps) setTimeout(() => process.exit(3), 2_500)
  }, 50)
}

/** Its home: starts it, probes it, and starts another when it has ended. */
async function lookAfter() {
  const busbar = await connect({ redis })
  const start = (steps) => spawn(process.execPath, [fileURLToPath(import.meta.url), 'agent', String(steps)])
  const agent = await busbar.provider('agent-1', {
    breaker: { failureThreshold: 3, cooldownMs: 500 },
    probe: { kind: 'heartbeat', process: 'agent-1', ttlMs: 5_000, stallMs: 1_000, intervalMs: 100 },
  })
  let [child, another] = [start(20), false]
  // A function, because it is another child later.
  await busbar.startProbes({ processes: { 'agent-1': () => child } })

  let last = ''
  const watch = setInterval(async () => {
    const { lastProbeStatus, lastProbeDetail } = await agent.snapshot()
    if (lastProbeStatus === null || lastProbeStatus === last) return
    last = lastProbeStatus
    console.log(`agent-1 is ${lastProbeStatus}: ${lastProbeDetail}`)
  }, 50)
  busbar.on('opened', ({ reason }) => {
    if (child.exitCode === null) return
    console.log(`nobody gives it work any more: ${reason}`)
    child = start(10_000)
    another = true
  })
  busbar.on('closed', async () => {
    if (!another) return
    console.log('another agent-1 works: the fleet gives it work again')
    clearInterval(watch)
    child.kill()
    await busbar.remove('agent-1') // so that the next run finds it as this one did
    await busbar.close()
  })
}
