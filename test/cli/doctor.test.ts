import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../src/index.js'
import { startRedis } from '../../src/embedded/index.js'
import { runCli } from '../harness/cli.js'
import { cliFleet, expectOneLine, type CliFleet } from '../harness/cli-fleet.js'
import { eventually } from '../harness/eventually.mjs'
import { startUpstream } from '../harness/http-upstream.js'

interface Finding {
  readonly check: string
  readonly level: string
  readonly found: string
  readonly advice: string
}

async function examine(fleet: CliFleet) {
  const { code, value } = await fleet.json(['doctor'])
  const findings = value['findings'] as Finding[] // the test fails on anything else
  const of = (check: string) => findings.find((finding) => finding.check === check)
  return { code, level: value['level'], findings, of }
}

/** On a server of its own, with options of its own. */
async function privateFleet(...args: string[]) {
  const server = await startRedis({ args })
  onTestFinished(() => server.stop())
  const redis = new Redis(server.url)
  onTestFinished(() => redis.disconnect())
  return { fleet: await cliFleet(server.url), redis }
}

describe('busbar doctor', () => {
  it('finds nothing where a fleet is well, and answers 0', async () => {
    const { fleet } = await privateFleet('--appendonly', 'yes')
    const upstream = await startUpstream()
    await fleet.busbar.provider('api', { probe: { kind: 'http', url: upstream.url, intervalMs: 60_000 } })
    await fleet.busbar.startProbes()
    await eventually(async () => (await examine(fleet)).level === 'ok')
    const { code, findings, of } = await examine(fleet)
    expect(code).toBe(0)
    expect(findings.map(({ check }) => check)).toEqual([
      'redis version',
      'role',
      'eviction',
      'memory',
      'persistence',
      'hz',
      'latency',
      'clock',
      'scripts',
      'pub/sub',
      'keys',
      'schema',
      'workers',
      'probes',
    ])
    expect(of('redis version')?.found).toMatch(/^\d+\.\d+\.\d+$/)
    expect(of('scripts')?.found).toMatch(/^all \d+ load$/)
    expect(of('workers')?.found).toBe('1 process connected')
    expect(of('probes')?.found).toBe('1 provider probed, each as often as it should be')
  })

  it('sees the failure domains that the heartbeats say, and advises a quorum: still 0', async () => {
    const { fleet } = await privateFleet('--appendonly', 'yes')
    await fleet.busbar.provider('api')
    const { url, namespace } = fleet
    for (const failureDomain of ['node-1', 'node-2', 'node-3']) {
      const worker = `of-${failureDomain}`
      const busbar = await connect({ redis: url, namespace, logger: false, workerId: worker, failureDomain })
      onTestFinished(() => busbar.close())
    }
    const domains = async () => (await fleet.busbar.inspect()).workers.flatMap(({ domain }) => domain ?? [])
    await eventually(async () => (await domains()).length === 4)
    const { code, of } = await examine(fleet)
    expect(of('failure domains')).toMatchObject({
      level: 'note',
      found: '4 live, and api opens by the failures of one alone',
    })
    expect(code).toBe(0)
  })

  it('names a key of another type, whose it is and what to do, and still sees the others; so does status', async () => {
    const { fleet, redis } = await privateFleet()
    const { namespace } = fleet.busbar
    for (const id of ['good', 'bad', 'worse']) await fleet.busbar.provider(id)
    const key = `${namespace}:{bad}:history`
    await redis.set(key, 'of somebody else')
    await redis.hset(`${namespace}:{worse}:config`, 'breaker.failureThreshold', 'many')
    const { code, level, of } = await examine(fleet)
    expect([code, level]).toEqual([2, 'fail'])
    expect(of('keys bad')).toMatchObject({
      level: 'fail',
      found: `${key} is a string and should be a zset: each process decides for itself`,
    })
    expect(of('keys bad')?.advice).toContain('DEL the key')
    expect(of('settings worse')).toMatchObject({
      level: 'warn',
      found: expect.stringContaining('breaker.failureThreshold: expected a whole number') as unknown,
    })
    const status = await fleet.json(['status'])
    expect(status.value['providers']).toMatchObject([
      { id: 'good' },
      { id: 'bad' },
      { id: 'worse', settingsProblems: [expect.stringContaining('failureThreshold')] },
    ])

    await redis.set(`${namespace}:workers`, 'of somebody else')
    expect((await examine(fleet)).of('keys')?.found).toMatch(/:workers is a string and should be a zset/)
  })

  it('warns of what will hurt one day, and says what to do: 1', async () => {
    const { fleet } = await privateFleet(
      ...['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru', '--hz', '5', '--save', ''],
    )
    await fleet.busbar.provider('api', { probe: { kind: 'http', url: 'http://127.0.0.1:1/' } })
    const { code, level, of } = await examine(fleet)
    expect([code, level]).toEqual([1, 'warn'])
    expect(of('eviction')).toEqual({
      check: 'eviction',
      level: 'warn',
      found: 'allkeys-lru',
      advice: 'CONFIG SET maxmemory-policy noeviction: an evicted key is an open circuit forgotten.',
    })
    expect(of('persistence')).toMatchObject({
      level: 'note',
      found: expect.stringMatching(/^off:/) as string,
    })
    expect(of('hz')).toMatchObject({ level: 'note', found: '5, below the usual 10' })
    expect(of('memory')).toMatchObject({
      level: 'ok',
      found: expect.stringMatching(/ of 100\.0 MiB/) as string,
    })
    expect(of('probe api')).toMatchObject({
      level: 'warn',
      found: 'a probe is configured, and nothing plans it',
    })
    const { code: again, stdout } = await fleet.run(['doctor'])
    expect(again).toBe(1)
    expect(stdout).toMatch(/^▲ warn eviction +allkeys-lru\n +-> CONFIG SET maxmemory-policy noeviction/m)
  })

  it('fails where Busbar cannot work: 2', async () => {
    const { fleet, redis } = await privateFleet()
    await redis.hset(`${fleet.namespace}:meta`, 'schema', '0')
    const old = await examine(fleet)
    expect([old.code, old.of('schema')]).toEqual([
      2,
      {
        check: 'schema',
        level: 'fail',
        found: expect.stringMatching(
          /its keys have schema 0, and this version of Busbar reads schema 2/,
        ) as string,
        advice: 'Use the version of Busbar that wrote it.',
      },
    ])
  })

  it('says which permission is missing: 2', async () => {
    const { fleet, redis } = await privateFleet()
    await redis.call('ACL', 'SETUSER', 'limited', 'on', '>pw', '~*', '+@all', 'resetchannels')
    const url = fleet.url.replace('redis://', 'redis://limited:pw@')
    const result = await runCli(['doctor', '--redis', url, '--json'])
    expect(result.code).toBe(2)
    expect(JSON.parse(result.stdout)).toMatchObject({
      level: 'fail',
      findings: [{ check: 'permissions', level: 'fail', found: expect.stringMatching(/channels/) as string }],
    })
  })

  it('holds the schedule of probes against settings: too many, too few, the wrong interval', async () => {
    const { fleet, redis } = await privateFleet()
    const upstream = await startUpstream()
    const probe = (intervalMs: number) => ({
      probe: { kind: 'http' as const, url: upstream.url, intervalMs },
    })
    for (const id of ['slower', 'unprobed', 'gone']) await fleet.busbar.provider(id, probe(3_600_000))
    const worker = await fleet.busbar.startProbes()
    const planned = () => redis.zcard(`{${fleet.namespace}}:due`)
    await eventually(async () => (await planned()) === 3)
    await worker.close()
    await fleet.busbar.provider('slower', probe(60_000))
    await fleet.busbar.provider('unprobed', {})
    await fleet.busbar.remove('gone')
    const { code, of } = await examine(fleet)
    expect(code).toBe(1)
    expect(of('probe slower')).toMatchObject({
      level: 'warn',
      found: 'planned every 1h, and it should be every 1m',
    })
    expect(of('probe unprobed')).toMatchObject({
      level: 'note',
      found: 'planned, though no probe is configured',
    })
    expect(of('probe gone')).toMatchObject({ level: 'note', found: 'planned, and there is no such provider' })
  })

  it('finds nothing amiss in the pace of a provider that is down', async () => {
    const { fleet, redis } = await privateFleet('--appendonly', 'yes')
    const probe = { kind: 'tcp' as const, host: '127.0.0.1', port: 1, intervalMs: 3_600_000 }
    const provider = await fleet.busbar.provider('api', { probe: { ...probe, downIntervalMs: 7_200_000 } })
    await fleet.busbar.startProbes()
    const planned = (every: number) => async () =>
      parseInt((await redis.hget(`{${fleet.namespace}}:intervals`, 'api')) ?? '') === every
    await eventually(planned(3_600_000))
    await provider.trip()
    await eventually(planned(7_200_000))
    const { of } = await examine(fleet)
    expect(of('probe api')).toBeUndefined()
    expect(of('probes')?.found).toBe('1 provider probed, each as often as it should be')
  })

  it('answers 3 when Redis does not', async () => {
    const result = await runCli(['doctor', '--redis', 'redis://127.0.0.1:1', '--json'])
    expect(result.code).toBe(3)
    expectOneLine(result, /Redis at redis:\/\/127\.0\.0\.1:1 does not answer/)
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code: 'redis_unavailable' } })
  })
})
