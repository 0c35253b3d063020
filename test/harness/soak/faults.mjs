// The faults that the soak plants in its fleet, in turn. Each ends with all as it should be; the workers must find back by themselves.
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
  'Redis frozen': async (fleet) => {
    process.kill(fleet.redisPid, 'SIGSTOP')
    await sleep(LASTS_MS)
    process.kill(fleet.redisPid, 'SIGCONT')
  },
  'Redis killed, back with its data': (fleet) => fleet.restartRedis({ empty: false }),
  'Redis killed, back empty': (fleet) => fleet.restartRedis({ empty: true }),
  'scripts flushed': ({ admin }) => admin.script('FLUSH'),
  'a worker killed and replaced': (fleet) => fleet.replaceWorker(),
  'clients killed': async ({ admin }) => {
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  },
}
