import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runCli } from '../harness/cli.js'
import { cliFleet, expectOneLine } from '../harness/cli-fleet.js'

const NOWHERE = 'redis://127.0.0.1:1'

describe('which fleet a command goes to', { timeout: 120_000 }, () => {
  it('is what it is told, else BUSBAR_REDIS and BUSBAR_NAMESPACE, else the fleet of this folder', async () => {
    const { url, namespace, busbar, folder } = await cliFleet()
    // Of a provider without an outcome nothing is known, which is an exit code of its own.
    await (await busbar.provider('api', {})).record('healthy')
    await busbar.flush()
    const code = async (env: Record<string, string>, ...args: string[]) =>
      (await runCli(['status', 'api', ...args], { cwd: folder, env })).code
    const [redis, ns] = [
      ['--redis', url],
      ['--namespace', namespace],
    ] as const
    const set = { BUSBAR_REDIS: url, BUSBAR_NAMESPACE: namespace }
    expect(await code({})).toBe(64)
    expect(await code(set)).toBe(0)
    expect(await code({ ...set, BUSBAR_REDIS: NOWHERE }, ...redis)).toBe(0)
    expect(await code({ ...set, BUSBAR_NAMESPACE: 'other' }, ...ns)).toBe(0)
    expect(await code({ ...set, BUSBAR_NAMESPACE: 'other' })).toBe(3)
    expect(await code({ BUSBAR_REDIS: '', BUSBAR_NAMESPACE: '' })).toBe(64)
    expect(await code({ REDIS_URL: url, BUSBAR_NAMESPACE: namespace })).toBe(64)

    mkdirSync(join(folder, '.busbar'))
    writeFileSync(join(folder, '.busbar', 'url'), `redis=${url} namespace=${namespace}\n`)
    expect(await code({})).toBe(0)
    expect(await code({ BUSBAR_REDIS: NOWHERE })).toBe(3)
    expect(await code({ BUSBAR_REDIS: url })).toBe(3) // another pair: the namespace of the file goes with its Redis
    expect(await code({ BUSBAR_NAMESPACE: 'other' })).toBe(3)
  })

  it('is named with the variable it came from, when nothing answers there', async () => {
    const result = await runCli(['status'], { env: { BUSBAR_REDIS: 'redis://:hunter2@127.0.0.1:1' } })
    expect(result.code).toBe(3)
    expectOneLine(result, /that address is from BUSBAR_REDIS; is Redis running there\?/)
    expect(result.stderr).not.toContain('hunter2')
  })
})
