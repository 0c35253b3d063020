import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parse } from 'yaml'
import { createHandler } from '../../src/http/index.js'
import { createTestBusbar } from '../../src/testing.js'
import { eventually } from '../harness/eventually.mjs'

interface Case {
  readonly alertname: string
  readonly exp_alerts: readonly unknown[]
}
interface Cases {
  readonly tests: readonly { readonly alert_rule_test: readonly Case[] }[]
}
interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string }[] }[]
}

function promtool(args: readonly string[], input = '') {
  const { error, status, stdout, stderr } = spawnSync('promtool', args, {
    encoding: 'utf8',
    input,
    timeout: 60_000,
  })
  return { missing: error !== undefined, status, output: `${stdout}${stderr}` }
}

const { missing } = promtool(['--version'])
const problem = 'promtool is not installed: apt-get install prometheus'

if (missing) {
  console.log(problem)
  it('holds the alerts to their cases', (context) => {
    context.task.meta.skipReason = problem
    context.skip(problem)
  })
} else withPromtool()

function withPromtool(): void {
  describe('deploy/alerts.yml', () => {
    it('is understood, and fires and is silent as the cases say', () => {
      expect(promtool(['check', 'rules', 'deploy/alerts.yml'])).toMatchObject({ status: 0 })
      const { status, output } = promtool(['test', 'rules', 'test/promtool/alerts.yml'])
      expect(status, output).toBe(0)
    })

    it('has cases that fail: without an alert, the one in which it fires does', () => {
      const folder = mkdtempSync(join(tmpdir(), 'busbar-alerts-'))
      onTestFinished(() => rmSync(folder, { recursive: true }))
      const rules = readFileSync('deploy/alerts.yml', 'utf8').replaceAll(
        /expr: (?!\|)/g,
        'expr: vector(0) > 1 and ',
      )
      writeFileSync(join(folder, 'alerts.yml'), rules)
      const cases = readFileSync('test/promtool/alerts.yml', 'utf8').replace(
        '../../deploy/alerts.yml',
        'alerts.yml',
      )
      writeFileSync(join(folder, 'cases.yml'), cases)
      expect(promtool(['test', 'rules', join(folder, 'cases.yml')])).toMatchObject({ status: 1 })
    })

    it('has a case that fires and one that is silent for every alert', () => {
      const { groups } = parse(readFileSync('deploy/alerts.yml', 'utf8')) as Rules
      const { tests } = parse(readFileSync('test/promtool/alerts.yml', 'utf8')) as Cases
      const cases = tests.flatMap((test) => test.alert_rule_test)
      for (const { alert } of groups.flatMap(({ rules }) => rules)) {
        const own = cases.filter(({ alertname }) => alertname === alert)
        expect(
          own.some(({ exp_alerts }) => exp_alerts.length > 0),
          `${alert} fires`,
        ).toBe(true)
        expect(
          own.some(({ exp_alerts }) => exp_alerts.length === 0),
          `${alert} is silent`,
        ).toBe(true)
      }
    })
  })

  describe('the text of the metrics', () => {
    it('passes promtool check metrics', async () => {
      const busbar = createTestBusbar()
      onTestFinished(() => busbar.close())
      const metrics = { fleet: true, maxProviders: 2 }
      const handler = createHandler(busbar, { authorize: 'anyone', metrics })
      const ask = () => handler(new Request('http://localhost/metrics'))
      await ask() // it counts from then on
      for (const id of ['openai', 'stripe', 'third']) {
        const provider = await busbar.provider(id, { breaker: { failureThreshold: 1 } })
        await provider.execute(() => 1)
        await provider.record('unhealthy')
        await provider.admit()
        await provider.markDegraded()
      }
      busbar.clock.advance(5_000)
      let text = ''
      await eventually(async () => {
        text = await (await ask()).text()
        return text.includes('busbar_circuit_state{provider="_other"')
      }, 'the text is of now')
      const { status, output } = promtool(['check', 'metrics'], text)
      expect(output).toBe('')
      expect(status).toBe(0)
    })

    it('is scraped by the configuration that docs/metrics.md has', () => {
      const page = readFileSync('docs/metrics.md', 'utf8')
      const [, sample = ''] = /<!-- prometheus -->\n```yaml\n([^]*?)```/.exec(page) ?? []
      const folder = mkdtempSync(join(tmpdir(), 'busbar-scrape-'))
      onTestFinished(() => rmSync(folder, { recursive: true }))
      writeFileSync(join(folder, 'busbar-token'), 'a token')
      writeFileSync(join(folder, 'prometheus.yml'), sample.replace('/etc/prometheus', folder))
      const { status, output } = promtool(['check', 'config', join(folder, 'prometheus.yml')])
      expect(status, output).toBe(0)
    })
  })
}
