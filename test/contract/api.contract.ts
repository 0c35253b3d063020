import { describe } from 'vitest'
import { busbarContract } from './api/busbar.js'
import { classifyContract } from './api/classify.js'
import { executeContract } from './api/execute.js'
import { groupsContract } from './api/groups.js'
import type { OpenApi } from './api/test-busbar.js'
import { permitsContract } from './api/permits.js'
import { providerContract } from './api/provider.js'

/** What the public API must do, over memory as over Redis. */
export function apiContract(name: string, open: OpenApi): void {
  describe(`the API over ${name}`, () => {
    executeContract(open)
    classifyContract(open)
    permitsContract(open)
    providerContract(open)
    busbarContract(open)
    groupsContract(open)
  })
}
