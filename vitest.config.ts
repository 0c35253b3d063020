import { defineConfig } from 'vitest/config'

/**
 * Folders below test/ are projects: `npm test -- --project unit`. Their time limits, ms, are for a machine that does
 * other things too: a test that hangs is found by them, a slow one is not.
 */
const projects = {
  unit: 60_000,
  seed: 60_000,
  property: 600_000,
  contract: 60_000,
  cli: 120_000,
  integration: 60_000,
  faults: 180_000,
  package: 300_000,
  containers: 120_000, // skipped, with the reason, where no Docker engine answers; not within `npm test`
}

/** Judge in real time, or load all cores: they have the machine to themselves. */
const ALONE = ['faults']

const report = `.busbar/reports/${process.env['BUSBAR_TEST_REPORT'] ?? 'vitest'}.json`

export default defineConfig({
  test: {
    pool: 'forks',
    retry: 0, // a test that passes at the second try has found something
    globalSetup: './test/harness/global-setup.ts',
    reporters: process.env['CI'] ? ['default', ['json', { outputFile: report }]] : ['default'],
    projects: Object.entries(projects).map(([name, timeout]) => ({
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        pool: 'forks',
        retry: 0,
        sequence: { groupOrder: ALONE.includes(name) ? 1 : 0 },
        maxWorkers: ALONE.includes(name) ? 1 : 2,
        testTimeout: timeout,
        hookTimeout: timeout,
      },
    })),
  },
})
