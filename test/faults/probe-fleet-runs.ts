import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { figure } from '../harness/figure.js'

/** The acceptance runs of the probes (test/harness/probe-fleet/): real processes, and the log of an upstream. */

export interface Gaps {
  readonly passed: boolean
  /** Probes that began, by the decisions of Redis. */
  readonly starts: number
  readonly shares: Readonly<Record<string, number>>
  readonly killed: readonly string[]
  /** ms from one beginning to the next: those under half an interval, and those over two. */
  readonly short: readonly number[]
  readonly long: readonly number[]
}

export interface Kills {
  readonly passed: boolean
  readonly kills: number
  /** Requests that the upstream saw, and those that it answered to a process that was not killed meanwhile. */
  readonly probes: number
  readonly answered: number
  /** Results that reached Redis, each once, and those that it counts. */
  readonly results: number
  readonly historyTotal: number
  /** Workers with more results than answers, and those that were killed with an answer that has no result. */
  readonly doubled: readonly string[]
  readonly cutOff: readonly string[]
  /** Answers without a result besides, and probes that a worker discarded because it stood still itself. */
  readonly lost: number
  readonly discards: number
  readonly planned: number
  readonly short: readonly number[]
  readonly long: readonly number[]
  readonly medianMs: number
  readonly longestMs: number
}

export interface Shares {
  readonly made: number
  readonly due: number
  readonly shares: Readonly<Record<string, number>>
  readonly redisUs: number
}

export interface Named {
  readonly passed: boolean
  readonly due: number
  readonly claims: number
  readonly calls: number
  /** Calls that another worker made, and claims that brought none. */
  readonly elsewhere: number
  readonly uncalled: number
  readonly short: readonly number[]
  readonly long: readonly number[]
  /** Workers that probed the other provider. */
  readonly others: number
}

interface Runs {
  readonly gaps: Gaps
  readonly kills: Kills
  readonly shares: Shares
  readonly named: Named
}

/** Runs a script over dist/, in processes of its own. Answers what it found, and with what it ended. */
export async function runScript<N extends keyof Runs>(
  name: N,
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly found: Runs[N] }> {
  const script = fileURLToPath(new URL(`../harness/probe-fleet/${name}.mjs`, import.meta.url))
  const child = spawn(process.execPath, [script, '--json', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  // As the script of this name prints it.
  return { code, found: JSON.parse(output) as Runs[N] }
}

/** A worker's time of day, and another's, are so far off, s: the period is kept, also after the first was killed. */
export async function expectPeriodDespiteClocks(off: string, ...args: readonly string[]): Promise<void> {
  const options = ['--seconds', '10', '--interval', '250', `--off=${off}`, ...args]
  const { starts, killed, short, long, shares } = (await runScript('gaps', ...options)).found
  figure(11, `probers ${off} s off: ${starts} probes in 40 intervals, ${long.length} long gaps`)
  expect(killed).toEqual(['worker-1'])
  expect(short).toEqual([])
  expect(starts).toBeGreaterThan(25)
  expect(starts).toBeLessThanOrEqual(44)
  expect(long.length).toBeLessThanOrEqual(1)
  expect(Object.keys(shares).length).toBeGreaterThanOrEqual(2)
}

/** Workers are killed in mid-probe and replaced: nothing is counted twice, and nothing is lost but what died with a process. */
export async function expectKillsCostOneProbe(kills: number, ...args: readonly string[]): Promise<void> {
  const { code, found } = await runScript('kills', '--kills', `${kills}`, ...args)
  const { probes, answered, results, historyTotal, cutOff, discards, longestMs } = found
  figure(
    12,
    `${kills} workers killed in mid-probe: ${probes} probes, ${answered} answers, ${historyTotal} results, ` +
      `${cutOff.length} died with one, ${discards} discarded; longest silence ${longestMs} ms`,
  )
  expect(found).toMatchObject({ doubled: [], lost: 0, short: [], planned: 1, kills })
  expect(historyTotal).toBe(results)
  expect(found).toMatchObject({ passed: true })
  expect(code).toBe(0)
}
