import { expect, it } from 'vitest'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { runFamily } from '../harness/family-run.js'

/** `BUSBAR_FAMILY_KEYS=100000` for the full length. */
const KEYS = Number(process.env['BUSBAR_FAMILY_KEYS'] ?? 4_000)

const timeout = 120_000 + KEYS * 10

it(`a family of ${KEYS} keys needs no more memory than one of half as many`, { timeout }, async () => {
  setFlagsFromString('--expose-gc')
  globalThis.gc = runInNewContext('gc') as typeof globalThis.gc
  const { half, all, redis } = await runFamily(KEYS)
  console.log(`heap after ${KEYS / 2} keys ${mb(half)} MB, after ${KEYS} keys ${mb(all)} MB`)
  console.log(`Redis before, with all keys and after they left: ${redis.map(mb).join(', ')} MB`)
  // A handle that stays costs some 5 KB: half of the keys would be far more than this.
  expect(all - half).toBeLessThan(4_000_000 + KEYS * 100)
})

const mb = (bytes: number): string => (bytes / 1e6).toFixed(1)
