import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { connect } from '../../src/index.js'
import { BIN, processTree, runCli, spawnCli, startCommand, survivors, type Started } from '../harness/cli.js'
import { eventually } from '../harness/eventually.mjs'
import { redisUrl, testNamespace } from '../harness/redis.js'

/** No process of ours may be left this long after the end began. */
const GONE_WITHIN_MS = 5_000
const READY = /^ready redis=(\S+) namespace=(\S+)$/m

let folder = ''
let tree: number[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'busbar-start-'))
  tree = []
})

afterEach(async () => {
  await survivors(tree, 0) // of a test that failed before the end
  rmSync(folder, { recursive: true, force: true })
})

/** Starts it, waits until all runs, and remembers every process of it. */
async function startReady(command: readonly string[], env: Record<string, string> = {}): Promise<Started> {
  const started = startCommand(command, { cwd: folder, env })
  tree = [started.pid]
  await started.said(READY)
  tree = processTree(started.pid)
  return started
}

async function jsonOf<T>(...args: string[]): Promise<T> {
  const { stdout } = await runCli([...args, '--json'], { cwd: folder })
  return JSON.parse(stdout) as T // what the test looks at is what it expects to be there
}

const isWorker = (pid: number) =>
  execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).includes('worker-2 redis://')

interface Listed {
  providers: { id: string; historyTotal: number; lastProbeStatus: string | null }[]
}

interface Told {
  events: { kind: string; reason: string }[]
}

describe('the sample job', { timeout: 90_000 }, () => {
  it('runs a fleet in which one upstream’s circuit opens and closes, starts a killed worker again, and ends on SIGTERM', async () => {
    const job = await startReady([BIN, 'start'])
    expect(job.output().match(/^ready /gm)).toHaveLength(1)
    const [page = '', url = ''] = /\bpage (http:\/\/127\.0\.0\.1:\d+\/)$/m.exec(job.output()) ?? []
    expect(job.output().indexOf(page)).toBeLessThan(job.output().indexOf('ready redis='))
    expect((await fetch(`${url}api/providers/steady`)).status).toBe(200)
    expect(tree.length).toBeGreaterThanOrEqual(8) // itself, upstreams, four workers, Redis and its watchdog
    const [, redis = '', namespace] = READY.exec(job.output()) ?? []
    expect(namespace).toBe('busbar-demo')
    expect(readFileSync(join(folder, '.busbar', 'url'), 'utf8')).toBe(
      `redis=${redis} namespace=busbar-demo\n`,
    )

    await eventually(async () => {
      const { providers } = await jsonOf<Listed>('status')
      return (
        providers.length === 3 &&
        providers.every((one) => one.historyTotal > 0 && one.lastProbeStatus !== null)
      )
    }, 'all three are called and probed')
    expect((await jsonOf<Listed>('status')).providers.map(({ id }) => id).sort()).toEqual([
      'cycling',
      'slow',
      'steady',
    ])

    await eventually(
      async () => {
        const { events } = await jsonOf<Told>('events', 'cycling', '--count', '100')
        const opened = events.findIndex((event) => event.kind === 'opened')
        return opened >= 0 && events.slice(opened).some((event) => event.kind === 'closed')
      },
      { what: 'the cycling one opens and closes', timeoutMs: 60_000 },
    )
    // Redis knows it first; the job is told of it, and prints it.
    await job.said(/cycling opened: 3 consecutive (failures|failed probes), last: unhealthy/)
    await job.said(/cycling closed: 1 successful trial/)
    await job.said(/status steady .*\| cycling .*\| slow /)

    process.kill(tree.find(isWorker) ?? 0, 'SIGKILL')
    await job.said(/worker-2 \(pid \d+\) ended unexpectedly \(SIGKILL\), starting it again/)
    await eventually(() => processTree(job.pid).some(isWorker))
    tree = processTree(job.pid)

    process.kill(job.pid, 'SIGTERM')
    expect(await survivors(tree, GONE_WITHIN_MS)).toEqual([])
    expect(await job.exit).toBe(0)
    expect(existsSync(join(folder, '.busbar', 'url'))).toBe(false)
  })
})

describe('busbar start', { timeout: 90_000 }, () => {
  it('leaves no process behind after Ctrl-C, which reaches the whole group', async () => {
    const job = await startReady([BIN, 'start'])
    process.kill(-job.pid, 'SIGINT')
    expect(await survivors(tree, GONE_WITHIN_MS)).toEqual([])
    expect(await job.exit).toBe(0)
    expect(job.output()).not.toMatch(/unexpectedly|Error|\n\s+at /)
  })

  it('leaves no process behind when its terminal is closed', async () => {
    const job = await startReady([BIN, 'start'])
    process.kill(-job.pid, 'SIGHUP')
    expect(await survivors(tree, GONE_WITHIN_MS)).toEqual([])
  })

  it('leaves no process behind when it is killed', async () => {
    const job = await startReady([BIN, 'start'])
    process.kill(job.pid, 'SIGKILL')
    expect(await survivors(tree, GONE_WITHIN_MS)).toEqual([])
    const { code, stderr } = await runCli(['status'], { cwd: folder })
    expect({ code, stderr }).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('still running') as string,
    })
  })

  it('leaves no process behind when the npm that runs it is killed', async () => {
    const npm = `require('node:child_process').spawn(process.execPath, [${JSON.stringify(BIN)}, 'start'],
      { stdio: 'inherit', env: { ...process.env, npm_lifecycle_event: 'start' } })`
    const job = await startReady(['-e', npm])
    process.kill(job.pid, 'SIGKILL')
    expect(await survivors(tree, GONE_WITHIN_MS)).toEqual([])
  })

  it('leaves no process behind when it is told to end while it starts', async () => {
    const job = startCommand([BIN, 'start'], { cwd: folder })
    await eventually(() => (tree = processTree(job.pid)).length >= 5)
    process.kill(job.pid, 'SIGTERM')
    expect(await survivors(tree, GONE_WITHIN_MS)).toEqual([])
    expect(await job.exit).toBe(0)
  })
})

describe('busbar start --config', { timeout: 60_000 }, () => {
  it('registers the providers of the file, probes them, and says which Redis it uses', async () => {
    const namespace = testNamespace()
    const url = 'http://127.0.0.1:1/' // nobody listens there: the probe fails
    const probe = { kind: 'http', url, intervalMs: 200 }
    const config = { redis: 'redis://127.0.0.1:1', namespace, providers: { down: { probe }, quiet: null } }
    writeFileSync(join(folder, 'busbar.yaml'), JSON.stringify(config)) // JSON is YAML
    const job = await startReady([BIN, 'start', '--config', 'busbar.yaml'], { REDIS_URL: redisUrl() })
    expect(job.output()).toContain(`Redis ${redisUrl()} (REDIS_URL), namespace ${namespace}`)
    await job.said(/down opened: 3 consecutive failed probes/)
    const { code, stdout } = await runCli(['status'], { cwd: folder })
    expect(code).toBe(2)
    expect(stdout).toMatch(/^quiet +● healthy/m)

    process.kill(job.pid, 'SIGTERM')
    expect(await survivors(tree, GONE_WITHIN_MS)).toEqual([])
    expect(await job.exit).toBe(0)
    await using busbar = await connect({
      redis: redisUrl(),
      namespace,
      logger: false,
      commandTimeoutMs: 5_000,
    })
    for (const id of await busbar.providers()) await busbar.remove(id)
  })

  it.each(['process', 'function'])('refuses %s probes, which only code can run, at once', async (kind) => {
    const probe = { kind, name: 'check' }
    const providers = { fine: {}, agent: { probe } }
    for (const [config, path] of [
      [{ providers }, 'providers.agent'],
      [{ defaults: { probe }, providers: { fine: {} } }, 'defaults'],
    ] as const) {
      writeFileSync(join(folder, 'busbar.yaml'), JSON.stringify(config))
      const namespace = testNamespace()
      const args = ['start', '--config', 'busbar.yaml', '--redis', redisUrl(), '--namespace', namespace]
      const { code, stdout, stderr } = await runCli(args, { cwd: folder })
      expect([code, stdout]).toEqual([64, ''])
      expect(stderr).toBe(
        `busbar: busbar.yaml: ${path}.probe.kind: ${kind} is code, which only a worker that registers it can run ` +
          '(startProbes({ processes, functions })), and busbar start is none: take another kind, or busbar apply\n',
      )
      await using busbar = await connect({
        redis: redisUrl(),
        namespace,
        logger: false,
        commandTimeoutMs: 5_000,
      })
      expect(await busbar.providers()).toEqual([])
    }
  })

  it('uses a private Redis where none is named, and talks JSON to a program', async () => {
    writeFileSync(join(folder, 'busbar.yaml'), 'providers: { quiet: }')
    const job = startCommand([BIN, 'start', '--config', 'busbar.yaml', '--json'], { cwd: folder })
    await job.said(/"type":"status"/)
    tree = processTree(job.pid)
    const types = job
      .output()
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type)
    expect(types).toEqual(expect.arrayContaining(['note', 'event', 'ready', 'status']))
    expect(job.output()).toMatch(
      /Redis redis:\/\/127\.0\.0\.1:\d+ \(private, ends with this\), namespace busbar"/,
    )
    process.kill(job.pid, 'SIGINT')
    expect(await survivors(tree, GONE_WITHIN_MS)).toEqual([])
  })

  it('answers 3 when Redis does not answer', async () => {
    writeFileSync(join(folder, 'busbar.yaml'), 'redis: redis://127.0.0.1:1\nproviders: { quiet: }')
    const { code, stderr } = await spawnCli(['start', '--config', 'busbar.yaml'], { cwd: folder })
    expect(code).toBe(3)
    expect(stderr).toMatch(/^busbar: Redis at redis:\/\/127\.0\.0\.1:1 does not answer .*from busbar\.yaml/)
  })
})
