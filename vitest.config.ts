import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/harness/longest-first.js'

/**
 * Folders below test/ are projects: `npm test -- --project unit`. Their time limits, ms, are for a machine that does
 * other things too: a test that hangs is found by them, a slow one is not.
 */
const projects = {
  unit: 300_000, // some simulate fleets for as long as the processor takes
  seed: 180_000,
  property: 600_000,
  contract: 180_000,
  cli: 120_000,
  integration: 180_000,
  faults: 180_000,
  package: 300_000,
  promtool: 120_000, // skipped, with the reason, where promtool is not there; not within `npm test`
  clients: 120_000, // packages of their own; not within `npm test`
  bullmq5: 120_000, // a BullMQ of its own; not within `npm test`
  servers: 120_000, // the same
  browser: 180_000, // skipped, with the reason, where no chromium is there; not within `npm test`
  containers: 120_000, // skipped, with the reason, where no Docker engine answers; not within `npm test`
}

/** These kill and freeze what they started, and load all cores: they come when the others are through. */
const LAST = ['faults']
/**
 * Most tests wait: for a process, for Redis, for a deadline. So more files run at a time than a small machine has cores; one
 * less in CI, where a calm machine counts for more than a minute.
 */
const WORKERS = process.env['CI'] ? 3 : 4
/**
 * Their files share processes, one after the other, and so what they import, which for most of them is more work than
 * their tests. What a test does to its process (environment, globals, signals) ends with the test.
 */
const SHARING = ['unit', 'seed', 'contract']

/** Files named `*.long.test.ts` belong to the full form alone; see test/harness/form.ts. */
const SHORT_FORM = process.env['BUSBAR_TEST_FORM'] === 'short'

const report = `.busbar/reports/${process.env['BUSBAR_TEST_REPORT'] ?? 'vitest'}.json`

export default defineConfig({
  test: {
    pool: 'forks',
    retry: 0, // a test that passes at the second try has found something
    globalSetup: './test/harness/global-setup.ts',
    sequence: { sequencer: LongestFirst },
    reporters: process.env['CI'] ? ['default', ['json', { outputFile: report }]] : ['default'],
    projects: Object.entries(projects).map(([name, timeout]) => ({
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        exclude: ['**/node_modules/**', ...(SHORT_FORM ? ['**/*.long.test.ts'] : [])],
        pool: 'forks',
        isolate: !SHARING.includes(name),
        retry: 0,
        sequence: { groupOrder: LAST.includes(name) ? 1 : 0 },
        maxWorkers: WORKERS,
        testTimeout: timeout,
        hookTimeout: timeout,
      },
    })),
  },
})
