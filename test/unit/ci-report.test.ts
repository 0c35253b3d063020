import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { addUp, judge, judgeFiles, seedTests } from '../../scripts/ci-report.mjs'

interface Entry {
  title: string
  status?: string
  skipReason?: string
}

/** A report of one file with these tests beside the complete seed. */
function reportOf(entries: Entry[], seed: readonly string[] = seedTests) {
  const file = (name: string, tests: Entry[]) => ({
    name,
    status: tests.some((test) => test.status === 'failed') ? 'failed' : 'passed',
    message: '',
    assertionResults: tests.map(({ title, status = 'passed', skipReason }) => ({
      title,
      fullName: title,
      status,
      meta: skipReason === undefined ? {} : { skipReason },
    })),
  })
  const seedFile = file(
    '/somewhere/test/seed/breaker.test.ts',
    seed.map((title) => ({ title })),
  )
  return { testResults: [seedFile, file('/somewhere/test/unit/a.test.ts', entries)] }
}

describe('the CI report', () => {
  it('counts what passed, and has nothing to say about it', () => {
    expect(judge(reportOf([{ title: 'a' }]))).toEqual({ passed: 20, skipped: [], complaints: [] })
  })

  it('names what failed', () => {
    const report = reportOf([{ title: 'a', status: 'failed' }])
    expect(judge(report)).toMatchObject({ passed: 19, complaints: ['failed: a'] })
  })

  it('names a file that could not be loaded', () => {
    const report = reportOf([])
    report.testResults.push({ name: 'b.test.ts', status: 'failed', message: 'syntax', assertionResults: [] })
    expect(judge(report).complaints).toEqual(['could not run: b.test.ts: syntax'])
  })

  it('accepts a skipped test only with a reason', () => {
    const skipped = reportOf([{ title: 'a', status: 'skipped', skipReason: 'needs Docker' }])
    expect(judge(skipped)).toMatchObject({
      passed: 19,
      skipped: ['skipped: a: needs Docker'],
      complaints: [],
    })
    expect(judge(reportOf([{ title: 'a', status: 'skipped' }])).complaints).toHaveLength(1)
    expect(judge(reportOf([{ title: 'a', status: 'todo' }])).complaints).toHaveLength(1)
  })

  it('wants every seed test, and no other beside them', () => {
    const without = judge(reportOf([], seedTests.slice(1)))
    expect(without.complaints).toContain(`seed test missing: ${seedTests[0]}`)
    expect(judge(reportOf([], [...seedTests, 'one_more'])).complaints).toHaveLength(1)
  })

  it('adds up the reports of several runs', () => {
    const short = reportOf([{ title: 'a' }, { title: 'b', status: 'failed' }])
    const long = {
      testResults: reportOf([{ title: 'a', status: 'failed' }, { title: 'c' }], []).testResults.slice(1),
    }
    expect(judge(addUp([short, long]))).toEqual({
      passed: 21,
      skipped: [],
      complaints: ['failed: b', 'failed: a'],
    })
  })

  it('misses a report that a run did not leave', () => {
    const folder = mkdtempSync(join(tmpdir(), 'busbar-reports-'))
    const [there, gone] = [join(folder, 'test.json'), join(folder, 'rest.json')]
    try {
      writeFileSync(there, JSON.stringify(reportOf([{ title: 'a' }])))
      expect(judgeFiles([there])).toEqual({ passed: 20, skipped: [], complaints: [] })
      const { passed, complaints } = judgeFiles([there, gone])
      expect(passed).toBe(20)
      expect(complaints).toEqual([expect.stringMatching(/^the tests left no report: .*rest\.json/)])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('fails when no test passed', () => {
    expect(judge({ testResults: [] }).complaints).toContain('no test passed')
  })
})

describe('the seed test names', () => {
  it('are nineteen, each once', () => {
    expect(new Set(seedTests).size).toBe(19)
  })
})

it('the CI script is the one that ends with the report', () => {
  const script = readFileSync(new URL('../../.ci/run', import.meta.url), 'utf8')
  expect(script.trimEnd().split('\n').at(-1)).toMatch(/^exec node scripts\/ci-report\.mjs/)
})
