import { describe, expect, it } from 'vitest'
import { figure } from '../harness/figure.js'
import { onQuietMachine } from '../harness/machine.js'
import { runScript } from './probe-fleet-runs.js'

describe('a fleet that was gone for a minute', () => {
  it('probes once when it is back, and then at its period', { timeout: 600_000 }, (context) =>
    onQuietMachine(context, async () => {
      const options = ['--seconds', '20', '--interval', '1000', '--timeout', '600', '--outage', '60']
      const { starts, killed, short, long } = (await runScript('gaps', ...options)).found
      figure(
        12,
        `all workers gone for a minute: ${starts} probes in 20 intervals, silent for ${long.join()} ms`,
      )
      expect(killed).toHaveLength(4)
      expect(short).toEqual([])
      expect(starts).toBeGreaterThan(12)
      expect(starts).toBeLessThanOrEqual(26) // its processes take their time to start
      expect(Math.max(...long)).toBeGreaterThan(60_000)
      expect(long.length).toBeLessThanOrEqual(2) // the outage, and the start of new processes at its end
    }),
  )
})

describe('a Redis that is restarted without its data', () => {
  it('is probed on by four processes, asked for each probe', { timeout: 300_000 }, (context) =>
    onQuietMachine(context, async () => {
      const options = ['--seconds', '20', '--interval', '500', '--wipe']
      const { starts, short, long } = (await runScript('gaps', ...options)).found
      // The restart: a Redis without its data no longer knows when the last probe began.
      expect(short.length).toBeLessThanOrEqual(1)
      expect(long.length).toBeLessThanOrEqual(1)
      expect(starts).toBeGreaterThan(25)
    }),
  )
})

describe('a function that one of fifty workers has', () => {
  it('is called at its period, and by that worker alone', { timeout: 600_000 }, (context) =>
    onQuietMachine(context, async () => {
      const { found } = await runScript('named', '--workers', '50')
      const { calls, due, others } = found
      figure(
        12,
        `a function of one of 50 workers: ${calls} calls in ${due} intervals; ${others} others at work`,
      )
      expect(found).toMatchObject({ short: [], long: [], elsewhere: 0, uncalled: 0 })
      expect(found).toMatchObject({ passed: true })
    }),
  )
})

describe('a fleet of four processes with 5 000 providers, each every 10 s', () => {
  it('shares their probes, and makes all that are due', { timeout: 600_000 }, (context) =>
    onQuietMachine(context, async () => {
      const { made, due, shares, redisUs } = (await runScript('shares')).found
      const percent = Object.values(shares).map((share) => `${Math.round(share * 100)} %`)
      figure(12, `${made} probes of ${due} due, shared ${percent.join(', ')}; ${redisUs} us of Redis each`)
      expect(made).toBeGreaterThan(0.95 * due)
      for (const share of Object.values(shares)) {
        expect(share).toBeGreaterThanOrEqual(0.15)
        expect(share).toBeLessThanOrEqual(0.35)
      }
    }),
  )
})
