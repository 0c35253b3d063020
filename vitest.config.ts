import { defineConfig } from 'vitest/config'

/** Folders below test/ are projects: `npm test -- --project unit`. Their time limits in ms. */
const projects = {
  unit: 30_000,
  seed: 30_000,
  property: 120_000,
  contract: 30_000,
  cli: 30_000,
  integration: 30_000,
  faults: 120_000,
  package: 120_000,
  containers: 120_000, // by `npm run test:containers` only: it needs a Docker engine
}

export default defineConfig({
  test: {
    pool: 'forks',
    retry: 0, // a test that passes at the second try has found something
    globalSetup: './test/harness/global-setup.ts',
    reporters: process.env['CI']
      ? ['default', ['json', { outputFile: '.busbar/test-results.json' }]]
      : ['default'],
    projects: Object.entries(projects).map(([name, timeout]) => ({
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        pool: 'forks',
        retry: 0,
        // What computes or waits for a child goes two files at a time; what lives by the clock has the machine to itself.
        sequence: { groupOrder: name === 'faults' ? 2 : name === 'integration' ? 1 : 0 },
        maxWorkers: name === 'faults' || name === 'integration' ? 1 : 2,
        testTimeout: timeout,
        hookTimeout: timeout,
      },
    })),
  },
})
