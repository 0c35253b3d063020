import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { METRIC_NAMES, METRICS, type MetricDefinition } from '../../src/metrics/prometheus.js'
import { metricsIn, SERIES } from '../harness/metric-names.js'

const read = (file: string) => readFileSync(file, 'utf8')

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly keep_firing_for?: string
}

const { groups } = parse(read('deploy/alerts.yml')) as {
  readonly groups: readonly { rules: readonly Rule[] }[]
}
const rules = groups.flatMap((group) => group.rules)

/** Labels that an expression selects by, or keeps. */
const labelsIn = (expr: string): string[] => [
  ...[...expr.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label = '']) => label),
  ...[...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list.split(',').map((one) => one.trim()),
  ),
]
/** Labels that Prometheus, or the Helm chart around it, gives. */
const FROM_OUTSIDE = ['job', 'instance', 'le']
const KNOWN: ReadonlySet<string> = new Set([
  ...FROM_OUTSIDE,
  ...Object.values(METRICS).flatMap(({ labels }): readonly string[] => labels),
])

describe('deploy/', () => {
  it('names no metric that is not there, in alerts or in the dashboard', () => {
    for (const file of ['deploy/alerts.yml', 'deploy/grafana.json', 'test/promtool/alerts.yml']) {
      const named = metricsIn(read(file)).filter((name) => !SERIES.has(name))
      expect(named, file).toEqual([])
    }
  })

  it('names no label that is not there', () => {
    const dashboard = JSON.stringify(JSON.parse(read('deploy/grafana.json'))).matchAll(
      /"expr":"((?:\\.|[^"])*)"/g,
    )
    const expressions = [
      ...rules.map(({ expr }) => expr),
      ...[...dashboard].map(([, expr = '']) => expr.replaceAll('\\"', '"')),
    ]
    expect(expressions.length).toBeGreaterThan(30)
    for (const expr of expressions)
      expect(
        labelsIn(expr).filter((label) => !KNOWN.has(label)),
        expr,
      ).toEqual([])
  })

  it('shows every metric on the dashboard', () => {
    const shown = new Set(
      metricsIn(read('deploy/grafana.json')).map((name) => name.replace(/_(bucket|sum|count)$/, '')),
    )
    expect(METRIC_NAMES.filter((name) => !shown.has(name))).toEqual([])
  })

  it('has twelve alerts, each aggregated over processes and kept on for a while', () => {
    expect(rules.map(({ alert }) => alert)).toEqual([
      'CircuitOpen',
      'CircuitFlapping',
      'GroupExhausted',
      'ManyOpen',
      'ProbeOverdue',
      'SuspectWorker',
      'StoreDown',
      'FallbackDeciding',
      'OutboxStuck',
      'MarkForgotten',
      'RefusalsHigh',
      'ExporterAbsent',
    ])
    for (const { alert, expr, keep_firing_for } of rules) {
      expect(expr, alert).toMatch(/\b(max|sum) by \(/)
      expect(keep_firing_for, alert).toMatch(/^\d+[smh]$/)
    }
  })

  it('takes the greatest of what is the same from every process, and the sum of what each counts', () => {
    for (const [name, { from, type }] of Object.entries<MetricDefinition>(METRICS)) {
      if (type === 'histogram') continue
      const uses = rules.filter(({ expr }) => metricsIn(expr).includes(name))
      for (const { alert, expr } of uses) {
        const innermost =
          from === 'store'
            ? /max by \([^)]*\) \((increase\()?[^)]*/
            : /(sum|max) by \([^)]*\) \((rate\()?[^)]*/
        expect(expr, alert).toMatch(innermost)
      }
    }
  })
})

describe('docs/metrics.md', () => {
  it('has every metric with its labels, type and meaning', () => {
    const rows = [
      ...read('docs/metrics.md').matchAll(/^\| `(busbar_[a-z_]+)` \| (\w+) \| ([^|]*) \| ([^|]*) \|$/gm),
    ]
    const written = rows.map(([, name, type, labels = '', help]) => [
      name,
      type,
      labels.replaceAll('`', '').trim(),
      help,
    ])
    const expected = Object.entries<MetricDefinition>(METRICS).map(([name, { type, labels, help }]) => [
      name,
      type,
      labels.join(', '),
      help,
    ])
    expect(written).toEqual(expected)
  })

  it('names every alert', () => {
    const text = read('docs/metrics.md')
    for (const { alert } of rules) expect(text).toContain(`\`${alert}\``)
  })
})
