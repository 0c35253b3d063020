import { describe } from 'vitest'
import { admissionContract } from './store/admission.js'
import { batchesContract } from './store/batches.js'
import { recentCallsContract } from './store/recent-calls.js'
import { loadContract } from './store/backpressure.js'
import { circuitContract } from './store/circuit.js'
import { heartbeatsContract } from './store/heartbeats.js'
import { historyContract } from './store/history.js'
import { judgementContract } from './store/judgement.js'
import { marksContract } from './store/marks.js'
import { membersContract } from './store/members.js'
import { outagesContract } from './store/outages.js'
import { outageRecordsContract } from './store/outage-records.js'
import { overdueContract } from './store/overdue.js'
import { probesContract } from './store/probes.js'
import { rampContract } from './store/ramp.js'
import { recoveryContract } from './store/recovery.js'
import { registrationContract } from './store/registration.js'
import { settingsEventsContract } from './store/settings-events.js'
import type { TestStore } from './store/test-provider.js'
import { trialsContract } from './store/trials.js'
import { viewsContract } from './store/views.js'

/** What every store must do, whatever it is made of. `open` gives one with its time in the test's hand. */
export function storeContract(name: string, open: () => Promise<TestStore>): void {
  describe(`${name} as a store`, () => {
    registrationContract(open)
    settingsEventsContract(open)
    admissionContract(open)
    trialsContract(open)
    circuitContract(open)
    recentCallsContract(open)
    outageRecordsContract(open)
    probesContract(open)
    overdueContract(open)
    rampContract(open)
    recoveryContract(open)
    heartbeatsContract(open)
    marksContract(open)
    membersContract(open)
    batchesContract(open)
    outagesContract(open)
    loadContract(open)
    historyContract(open)
    judgementContract(open)
    viewsContract(open)
  })
}
