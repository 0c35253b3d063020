// What the soak does to its ground, in turn. Each ends with all as it should be; the workers must find back by themselves.
import { setTimeout as sleep } from 'node:timers/promises'

const LASTS_MS = 2_000

export const faults = {
  'connections cut': async ({ wire }) => {
    wire.cut()
    await sleep(LASTS_MS)
    wire.mend()
  },
  'replies lost': async ({ wire }) => {
    wire.mute()
    await sleep(LASTS_MS)
    wire.mend()
  },
  /** Longer than `commandTimeoutMs`. */
  'replies late': async ({ wire }) => {
    wire.slow(500)
    await sleep(LASTS_MS)
    wire.mend()
  },
  'Redis frozen': async (ground) => {
    process.kill(ground.redisPid, 'SIGSTOP')
    await sleep(LASTS_MS)
    process.kill(ground.redisPid, 'SIGCONT')
  },
  'Redis killed, back with its data': (ground) => ground.restartRedis({ empty: false }),
  'Redis killed, back empty': (ground) => ground.restartRedis({ empty: true }),
  'scripts flushed': ({ admin }) => admin.script('FLUSH'),
  'a worker killed and replaced': (ground) => ground.replaceWorker(),
  'clients killed': async ({ admin }) => {
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  },
}
