import { expect, it } from 'vitest'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { runFamily } from '../harness/family-run.js'

/** `BUSBAR_FAMILY_KEYS=100000` for the full length. */
const KEYS = Number(process.env['BUSBAR_FAMILY_KEYS'] ?? 10_000)

it(`a family of ${KEYS} keys needs no more memory than one of half as many`, async () => {
  setFlagsFromString('--expose-gc')
  globalThis.gc = runInNewContext('gc') as typeof globalThis.gc
  const { half, all } = await runFamily(KEYS)
  console.log(`heap after ${KEYS / 2} keys ${mb(half)} MB, after ${KEYS} keys ${mb(all)} MB`)
  // A handle that stays costs some 5 KB: half of the keys would be far more than this.
  expect(all - half).toBeLessThan(4_000_000 + KEYS * 100)
})

const mb = (bytes: number): string => (bytes / 1e6).toFixed(1)
