// What `npm test` and `npm run test:all` run: which projects of test/, in which form, and what is left out. CI runs all of it:
// `npm test`, then what comes on top of it, then the mutants (.ci/run).
//
// A test with a long form (more sequences, more kills) asks BUSBAR_TEST_FORM: `short` within `npm test`, else `full`. Files
// named `*.long.test.ts` belong to the full form alone.
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const vitest = join('node_modules', 'vitest', 'vitest.mjs')
/** `report` names the file that vitest writes in CI: each run has its own, and scripts/ci-report.mjs adds them up. */
const short = (report) => ({ BUSBAR_TEST_FORM: 'short', BUSBAR_TEST_REPORT: report })
const full = (report) => ({ BUSBAR_TEST_FORM: 'full', BUSBAR_TEST_REPORT: report })

/**
 * Projects whose packages have a lock file of their own, in their folder or in `packages`: `npm start` and `npm test` need not
 * install them.
 */
const EXTRAS = [
  { project: 'clients', what: 'client packages' },
  { project: 'bullmq5', what: 'BullMQ 5' },
  { project: 'servers', what: 'web servers' },
  { project: 'containers', what: 'containers', packages: join('test', 'harness', 'container') },
  { project: 'browser', what: 'browser tests' },
  { project: 'promtool', what: 'promtool' },
]

/** The folders of test/ that `npm test` runs: they need nothing that the set-up does not install. */
const TEST = ['unit', 'seed', 'property', 'contract', 'integration', 'cli', 'package', 'faults']

/** Where the faults of docs/reliability.md are tested. */
const faultFiles = [
  ...['test/faults', 'test/seed', 'test/property', 'test/unit/witness', 'test/unit/hostile'],
  ...['test/cli/hostile', 'test/integration/http-probe', 'test/integration/probe-kinds'],
  'test/integration/cached',
]
const faultTable = ['--reporter=default', `--reporter=./${join('test', 'harness', 'fault-table.ts')}`]

/** What has a long form, and what `npm test` leaves out: the part of `test:all` that is not `npm test` over again. */
const restFiles = [
  ...['.long.test', 'test/faults/probe-fleet', 'test/faults/trial-race', 'test/faults/replay'],
  ...['test/property', 'test/unit/order-rule'],
]

/** Fewer random sequences than the full form has: CI is to end within a quarter of an hour. */
const CI_SEQUENCES = '3000'

const run = (args, env = {}) => ({ args, env })
const chosen = (args) => args.some((arg) => !arg.startsWith('-') || /^--project(=|$)/.test(arg))

/** Each answers the runs of one `npm run`, in their order: arguments of node, and what the environment adds. */
export const suites = {
  test: (args) => {
    const projects = chosen(args) ? [] : TEST.map((one) => `--project=${one}`)
    return [run([vitest, 'run', ...projects, ...args], short('test'))]
  },
  faults: (args) => [
    run([vitest, 'run', ...faultTable, ...(args.length > 0 ? args : faultFiles)], full('faults')),
  ],
  /** `--rest`: what comes on top of `npm test`, but for the mutants, which .ci/run counts as a check of their own. */
  all: (args, root) =>
    args.includes('--rest')
      ? [run([vitest, 'run', ...restFiles, ...extrasOf(root).map(folderOf)], rest())]
      : [run([vitest, 'run'], full('all')), run([join('scripts', 'mutants.mjs'), '--short'])],
}

const rest = () => ({
  BUSBAR_PROPERTY_RUNS: process.env.BUSBAR_PROPERTY_RUNS ?? CI_SEQUENCES,
  ...full('rest'),
})

const folderOf = ({ project }) => join('test', project)
export const extrasOf = (root) => EXTRAS.filter((extra) => existsSync(join(root, folderOf(extra))))
/** Folders with packages of their own that a command needs installed before it begins. */
export function extraPackages(root, what, args) {
  const inContainer = process.env['BUSBAR_TEST_REDIS'] === 'container'
  const wanted = ({ project }) =>
    what === 'all' ||
    (what === 'test' && args.some((arg) => arg.endsWith(project))) ||
    (inContainer && project === 'containers')
  const folders = extrasOf(root)
    .filter(wanted)
    .map((extra) => extra.packages ?? folderOf(extra))
  if (what === 'bench' || what === 'doomed') folders.push('bench')
  if (what === 'screenshots') folders.push(join('test', 'browser'))
  return folders
    .map((folder) => join(root, folder))
    .filter((folder) => existsSync(join(folder, 'package-lock.json')))
}

/** Names of tools from Debian's packages that a command is better with. */
export function toolsOf(what, args) {
  if (what === 'all') return ['promtool', 'chromium']
  const browser = what === 'screenshots' || (what === 'test' && args.some((arg) => arg.endsWith('browser')))
  return browser ? ['chromium'] : []
}

/** One line at the end of `npm test`. */
export function leftOut(root) {
  const left = ['long forms', 'mutants', ...extrasOf(root).map(({ what }) => what)]
  return `left out: ${left.join(', ')}; npm run test:all runs them too`
}
