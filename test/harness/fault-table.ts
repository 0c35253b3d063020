import type { UserConsoleLog } from 'vitest'
import type { Reporter, TestModule } from 'vitest/node'

/** The faults of docs/reliability.md. */
export const FAULTS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21]

/** Files whose figure is the number of their tests: a table of cases each. */
const COUNTED = [
  { fault: 1, file: 'test/seed/', what: 'tests of the original circuit breaker, on Redis' },
  {
    fault: 1,
    file: 'test/unit/witness',
    what: 'checks of 30 rows worked out by hand, on the rules and on Redis',
  },
  { fault: 15, file: 'test/unit/hostile-settings', what: 'hostile ids and settings' },
  { fault: 15, file: 'test/cli/hostile', what: 'hostile YAML files and arguments of the CLI' },
  { fault: 15, file: 'test/integration/http-probe', what: 'answers to HTTP probes, hostile ones among them' },
  {
    fault: 15,
    file: 'test/integration/probe-kinds',
    what: 'answers to other probes, hostile ones among them',
  },
]

/** At the end of a run: what each fault's tests printed, by the number of the fault. */
export default class FaultTable implements Reporter {
  readonly #lines: { readonly fault: number; readonly found: string }[] = []

  onUserConsoleLog({ content }: UserConsoleLog): void {
    for (const [, fault, found] of content.matchAll(/^fault (\d+)\b(.*)$/gm))
      this.#lines.push({ fault: Number(fault), found: found?.replace(/^:/, '').trim() ?? '' })
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = [...this.#lines, ...COUNTED.flatMap((counted) => count(modules, counted))]
    console.log('\nWhat was survived, by the faults of docs/reliability.md')
    for (const fault of FAULTS) {
      const found = lines.filter((line) => line.fault === fault).map((line) => line.found)
      for (const text of found.length > 0 ? found : ['no figure in this run'])
        console.log(`${String(fault).padStart(3)}  ${text}`)
    }
  }
}

function count(modules: readonly TestModule[], { fault, file, what }: (typeof COUNTED)[number]) {
  const tests = modules
    .filter(({ moduleId }) => moduleId.includes(file))
    .flatMap(({ children }) => [...children.allTests()])
  if (tests.length === 0) return []
  const passed = tests.filter((test) => test.result().state === 'passed').length
  return [{ fault, found: `${passed} of ${tests.length} ${what}` }]
}
