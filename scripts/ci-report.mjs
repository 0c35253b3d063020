// Reads the test runner's own reports and says what they counted together. The last line is `N passed, N failed`.
// `node scripts/ci-report.mjs <report.json>... [--failed-checks=lint,types]`
import { readFileSync, realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The tests of the reference, by their names there, and the one for what it has but does not test. */
export const seedTests = [
  'test_health_status_display',
  'test_health_checker',
  'test_health_checker_degraded',
  'test_circuit_breaker_starts_closed',
  'test_circuit_breaker_opens_on_failures',
  'test_circuit_breaker_success_resets_failure_count',
  'test_circuit_breaker_half_open_after_cooldown',
  'test_circuit_breaker_half_open_success_closes',
  'test_circuit_breaker_half_open_failure_reopens',
  'test_circuit_breaker_reset',
  'test_health_history_empty',
  'test_health_history_all_healthy',
  'test_health_history_mixed',
  'test_health_history_all_unhealthy',
  'test_health_history_max_records',
  'test_circuit_state_display',
  'circuit_breaker_state_always_valid',
  'health_history_success_rate_in_range',
  'test_health_checker_terminated',
]

/** Several reports in vitest's JSON as one: what ran twice, in two forms, counts twice. */
export const addUp = (reports) => ({ testResults: reports.flatMap(({ testResults }) => testResults) })

/** Counts and complaints of a report. Every complaint is a failure. */
export function judge(report) {
  const tests = report.testResults.flatMap((file) =>
    file.assertionResults.map((test) => ({ ...test, file: file.name })),
  )
  const passed = tests.filter((test) => test.status === 'passed').length
  const failures = tests.filter((test) => test.status === 'failed').map((test) => `failed: ${test.fullName}`)
  const notRun = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed')
  const silent = notRun.filter((test) => !test.meta?.skipReason)
  return {
    passed,
    skipped: notRun.map((test) => `skipped: ${test.fullName}: ${test.meta?.skipReason ?? 'no reason given'}`),
    complaints: [
      ...failures,
      ...brokenFiles(report),
      ...silent.map((test) => `skipped without a reason (meta.skipReason): ${test.fullName}`),
      ...seedComplaints(tests),
      ...(passed === 0 ? ['no test passed'] : []),
    ],
  }
}

/** A file that could not be loaded has no test that failed. */
function brokenFiles(report) {
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  )
  return broken.map((file) => `could not run: ${file.name}: ${file.message}`)
}

function seedComplaints(tests) {
  const titles = tests.filter((test) => /\/test\/seed\//.test(test.file)).map((test) => test.title)
  const missing = seedTests
    .filter((name) => !titles.includes(name))
    .map((name) => `seed test missing: ${name}`)
  if (titles.length === seedTests.length) return missing
  return [...missing, `test/seed has ${titles.length} tests, the reference ${seedTests.length}`]
}

/** Steps of .ci/run whose failing tests are counted one by one, if there are any. */
const TEST_STEPS = ['tests', 'rest']

function main(args) {
  const checks = args.find((arg) => arg.startsWith('--failed-checks='))?.split('=')[1] ?? ''
  const { passed, skipped, complaints } = judgeFiles(args.filter((arg) => !arg.startsWith('--')))
  // A step with failing tests has failed as a check too; that is one failure each, not one more.
  const failedChecks = checks
    .split(',')
    .filter((name) => name !== '' && !(TEST_STEPS.includes(name) && complaints.length > 0))
  const all = [...complaints, ...failedChecks.map((name) => `check failed: ${name}`)]
  for (const line of [...skipped, ...all]) console.log(line)
  console.log(`${passed} passed, ${all.length} failed`)
  return all.length === 0 ? 0 : 1
}

/** Judges the reports together. One that cannot be read, or is not there, is a complaint: its tests did not run. */
export function judgeFiles(paths) {
  const reports = []
  const unread = []
  for (const path of paths) {
    try {
      reports.push(JSON.parse(readFileSync(path, 'utf8')))
    } catch (error) {
      unread.push(`the tests left no report: ${error.message}`)
    }
  }
  const { passed, skipped, complaints } = judge(addUp(reports))
  return { passed, skipped, complaints: [...unread, ...complaints] }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = main(process.argv.slice(2))
}
