// The tables of docs/choosing-rules.md: which scenarios are simulated, with which settings, and how a cell is written.

export const PAGE = 'docs/choosing-rules.md'
const SEEDS = [1, 2, 3, 4]

const only = (breaker) => ({ breaker: { failureThreshold: null, ...breaker } })

/** Columns: a name, and the settings. */
export const RULES = [
  ['threshold 3', { breaker: { failureThreshold: 3 } }],
  ['threshold 10', { breaker: { failureThreshold: 10 } }],
  ['rate 0.5', only({ failureRate: 0.5 })],
  ['threshold 10, rate 0.5', { breaker: { failureThreshold: 10, failureRate: 0.5 } }],
  ['the same, quorum 2', { breaker: { failureThreshold: 10, failureRate: 0.5, quorum: 2 } }],
]

const scenario = (name, options = {}) => ({ scenario: name, ...options })

/** Rows of each table: what is simulated, in words, and the source. */
export const TABLES = {
  healthy: [
    ['steady, 1 % errors, 10 min', scenario('steady', { errors: 0.01 })],
    ['steady, 5 % errors, 10 min', scenario('steady', { errors: 0.05 })],
    ['steady, 10 % errors, 10 min', scenario('steady', { errors: 0.1 })],
    ['cold start, 5 % errors, 2 min', scenario('cold_start')],
  ],
  sick: [
    ['dead', scenario('dead')],
    ['dead, 1 call/s a worker', scenario('dead', { rate: 1 })],
    ['slow: every call times out', scenario('slow')],
    ['20 % of calls fail', scenario('brownout', { errors: 0.2 })],
    ['50 % of calls fail', scenario('brownout', { errors: 0.5 })],
    ['flapping, 5 s each', scenario('flapping')],
  ],
  partial: [
    ['1 bad worker of 2', scenario('one_bad_worker', { workers: 2 })],
    ['1 bad worker of 3', scenario('one_bad_worker', { workers: 3 })],
    ['1 bad worker of 10', scenario('one_bad_worker')],
    ['the same, 5 % errors elsewhere', scenario('one_bad_worker', { errors: 0.05 })],
    [
      '1 bad domain of 10, 4 workers each',
      scenario('one_bad_worker', { workers: 40, domains: 10, rate: 12.5 }),
    ],
    ['bad worker restarts every 3 s, of 2', scenario('restarting', { workers: 2 })],
    ['bad deploy, 2 new of 10', scenario('bad_deploy')],
    ['healed, but for a busy bad domain', scenario('heal_with_bad_domain')],
  ],
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length

/** The middle one; null where the half or more have none. */
function middle(values) {
  const sorted = values.map((value) => value ?? Infinity).sort((a, b) => a - b)
  const value = sorted[Math.floor((sorted.length - 1) / 2)]
  return value === Infinity ? null : value
}

const number = (value) =>
  value >= 10 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1)

/** `4 o46 99.6 %`: openings, ms to open or to name, good calls that were refused; a dash for nothing at all. */
function cell(results) {
  const openings = mean(results.map(({ openings }) => openings))
  const opened = middle(results.map(({ openedAfterMs }) => openedAfterMs))
  const named = middle(results.map(({ namedAfterMs }) => namedAfterMs))
  const refused = 100 * mean(results.map(({ goodRefusedShare }) => goodRefusedShare))
  const wrong = mean(results.map(({ wrongNamings }) => wrongNamings))
  const parts = [
    number(openings),
    opened === null || openings === 0 ? '' : `o${opened}`,
    named === null ? '' : `n${named}`,
    wrong === 0 ? '' : `${number(wrong)} wrong`,
    refused < 0.05 ? '' : `${number(refused)} %`,
  ]
  return parts.filter((part) => part !== '').join(' ')
}

/** One table in Markdown. `simulate`: of busbar/testing. */
export function tableOf(simulate, rows, seeds = SEEDS) {
  const head = ['', ...RULES.map(([name]) => name)]
  const lines = rows.map(([what, source]) => [
    what,
    ...RULES.map(([, settings]) => cell(seeds.map((seed) => simulate(settings, { ...source, seed })))),
  ])
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** The page with its tables as they are simulated now. */
export function withTables(page, simulate, names = Object.keys(TABLES)) {
  return names.reduce(
    (text, name) =>
      text.replace(
        new RegExp(`(<!-- simulated: ${name} -->\n\n)[^]*?(\n\n<!-- /simulated -->)`),
        (_, begin, end) => `${begin}${tableOf(simulate, TABLES[name])}${end}`,
      ),
    page,
  )
}
