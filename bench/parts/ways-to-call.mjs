// One provider of two processes, called in the three ways that programs use, by turns: what something that one of them does costs.
import { interleaved, nsPerCall } from '../lib.mjs'

const ROUNDS = 21
const CALLS = 20_000
const TIMEOUT_MS = 5_000

/** `off` and `on`: the same provider without and with it. Gives `{ way, off, on }` for each way, in ns a call. */
export async function compareWays({ off, on }) {
  const plain = async () => 1
  const reading = async ({ signal }) => signal.aborted
  const { signal } = new globalThis.AbortController()
  const ways = {
    'without options': (provider) => provider.execute(plain),
    'with timeoutMs': (provider) => provider.execute(plain, { timeoutMs: TIMEOUT_MS }),
    'with timeoutMs and a signal that it reads': (provider) =>
      provider.execute(reading, { timeoutMs: TIMEOUT_MS, signal }),
  }
  const found = []
  for (const [way, call] of Object.entries(ways)) {
    const loop = (provider) => () =>
      nsPerCall(CALLS, async (n) => {
        for (let i = 0; i < n; i += 1) await call(provider)
      })
    const contenders = { off: loop(off), on: loop(on) }
    for (const warm of Object.values(contenders)) await warm()
    found.push({ way, ...(await interleaved(ROUNDS, contenders)) })
  }
  return found
}
