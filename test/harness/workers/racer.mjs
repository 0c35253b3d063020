// One of those who race for the trial. At each signal it asks for admission; who is admitted stays inside until told
// to leave, so that two at once would meet there.
import { barrier, headCount, job, join, serve } from './join.mjs'

const { provider } = await join()
const signal = barrier(job.extra.signal)
const heads = headCount()
await signal.listening
let permit

serve({
  /** Asked after `race`: messages are handled in order, so its answer means that the race has begun to wait. */
  ready: () => true,
  race: async () => {
    await signal.passed()
    const decision = await provider.admit()
    if (!decision.admitted) return { admitted: false, code: decision.code, overlap: false }
    permit = decision.permit
    return { admitted: true, trial: permit.trial, overlap: (await heads.enter()) > 1 }
  },
  leave: async (outcome) => {
    await heads.leave()
    await permit.settle(outcome)
  },
})
