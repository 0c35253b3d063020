import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SimulationResult } from '../../src/testing.js'
import { runCli } from '../harness/cli.js'
import { cliFleet } from '../harness/cli-fleet.js'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'busbar-simulate-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const fileOf = (...lines: string[]): string => {
  const file = join(folder, `${lines.length}.ndjson`)
  writeFileSync(file, lines.join('\n'))
  return file
}

const FAILURES = Array.from({ length: 4 }, (_, i) => `{"at":${1_000 + i},"outcome":"timeout","ms":5}`)

interface Shown {
  readonly inForce: SimulationResult
  readonly tried?: SimulationResult
  readonly note: string
}

async function simulated(...args: string[]): Promise<Shown> {
  const { code, stdout, stderr } = await runCli(['simulate', '--json', ...args])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as Shown
}

describe('busbar simulate', () => {
  it('shows a scenario with the built-in settings, and with others beside them, without any Redis', async () => {
    const scenario = ['--scenario', 'dead', '--seconds', '5', '--rate', '20']
    const { code, stdout } = await runCli([
      'simulate',
      ...scenario,
      '--set',
      'breaker.failureThreshold=100000',
    ])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ +in force +with --set\n/)
    expect(stdout).toMatch(/\nopenings +1 +0\n/)
    const { inForce, tried } = await simulated(...scenario, '--set', 'breaker.cooldownMs=1000')
    expect(inForce.openings).toBe(1)
    expect(tried?.openings).toBe(5)
  })

  it('puts a trace through the rules, and names the line of one that makes no sense', async () => {
    const { inForce, tried } = await simulated('--trace', fileOf(...FAILURES, ''))
    expect(inForce).toMatchObject({ calls: 4, openings: 1 })
    expect(tried).toBeUndefined()
    const bad = fileOf(...FAILURES.slice(1), '', '{"at":"yesterday","outcome":"timeout"}', '{}')
    const { code, stderr } = await runCli(['simulate', '--trace', bad])
    expect(code).toBe(64)
    expect(stderr).toBe(`busbar: ${bad}:5: at: expected a number of ms since 1970, got "yesterday"\n`)
    const cut = fileOf('{"at":1,')
    expect((await runCli(['simulate', '--trace', cut])).stderr).toContain(
      `${cut}:1: expected one JSON object a line`,
    )
  })

  it.each([
    ['no source', [], 'give one of --scenario <name>, --trace <file> and --history'],
    ['two sources', ['--scenario', 'dead', '--history'], 'give one of --scenario'],
    ['a history of nobody', ['--history'], '--history: of which provider?'],
    ['a file that is not there', ['--trace', '/nowhere.ndjson'], '--trace: /nowhere.ndjson cannot be read'],
    [
      'a setting that there is not',
      ['--scenario', 'dead', '--set', 'breaker.foo=1'],
      'breaker.foo: unknown setting',
    ],
    [
      'a value out of bounds',
      ['--scenario', 'dead', '--set', 'breaker.failureRate=2'],
      'breaker.failureRate: ',
    ],
    ['no value', ['--scenario', 'dead', '--set', 'breaker.failureRate'], 'Expected a setting and its value'],
    [
      'no number',
      ['--scenario', 'dead', '--workers', 'ten'],
      "'--workers <n>' argument 'ten' is invalid. Expected a number.",
    ],
    [
      'what a trace does not have',
      ['--trace', '/nowhere.ndjson', '--workers', '5'],
      '--workers 5: it says something of a --scenario alone',
    ],
  ])('refuses %s in one line', async (_, args, message) => {
    const { code, stderr } = await runCli(['simulate', ...args])
    expect(code).toBe(64)
    expect(stderr).toContain(message)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it('takes the settings in force and the history from the fleet, and says what a history lacks', async () => {
    const fleet = await cliFleet()
    const openai = await fleet.busbar.provider('openai', {
      breaker: { failureThreshold: 1_000, failureRate: 0.9 },
    })
    for (let call = 0; call < 30; call += 1) await openai.record(call % 3 === 0 ? 'healthy' : 'timeout')
    await fleet.busbar.flush()
    const { code, stdout } = await fleet.run([
      'simulate',
      'openai',
      '--history',
      '--set',
      'breaker.failureRate=0.5',
    ])
    expect(code).toBe(0)
    expect(stdout).toContain('The history has neither workers nor the exact order')
    expect(stdout).toMatch(/\ncalls +30 +30\n/)
    const trial = await fleet.run(['simulate', 'openai', '--json', '--scenario', 'dead', '--seconds', '20'])
    const { inForce } = JSON.parse(trial.stdout) as Shown
    // The rate of the provider's own settings opens it, which takes seconds.
    expect(inForce.openedAfterMs).toBeGreaterThan(2_000)
  })
})
