import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { resolveSettings } from '../../src/config/settings.js'
import { startRedis } from '../../src/embedded/index.js'
import { connect } from '../../src/index.js'
import type {
  ProbeFinding,
  ProbeFunction,
  ProbeInput,
  ProbeSettings,
  ProcessSource,
} from '../../src/model/probe.js'
import { runCommand } from '../../src/probes/kinds/command.js'
import type { Heard } from '../../src/probes/kinds/kind.js'
import { probeRedis } from '../../src/probes/kinds/redis.js'
import { ProbeRunner } from '../../src/probes/probe-runner.js'
import { selfSigned } from '../harness/certificate.js'
import { eventually } from '../harness/eventually.mjs'
import { besideMachine } from '../harness/machine.js'
import { removeKeys } from '../harness/fleet.js'
import { isAlive } from '../harness/process.js'
import { pour, rawServer, type RawServer } from '../harness/raw-server.js'
import { redisUrl, testNamespace } from '../harness/redis.js'

/** Settings as they come from Redis. */
function settings<K extends ProbeSettings['kind']>(probe: ProbeInput & { readonly kind: K }) {
  const resolved = resolveSettings({ probe: { timeoutMs: 5_000, ...probe } }).probe
  // It is of the kind that was given.
  return resolved as Extract<ProbeSettings, { kind: K }>
}

const NEVER_HEARD: Heard = {
  at: 0,
  heartbeatAt: null,
  heartbeatProgress: null,
  heartbeatProgressAt: null,
}

interface Around {
  readonly processes?: Readonly<Record<string, ProcessSource>>
  readonly functions?: Readonly<Record<string, ProbeFunction>>
  readonly heard?: Partial<Heard>
}

function worker({ processes = {}, functions = {} }: Around = {}): ProbeRunner {
  return new ProbeRunner('worker-1', {
    processes: new Map(Object.entries(processes)),
    functions: new Map(Object.entries(functions)),
  })
}

function probe(input: ProbeInput, around: Around = {}): Promise<ProbeFinding> {
  const heard = { ...NEVER_HEARD, ...around.heard }
  const testProvider = { providerId: 'a', heard, settingsSetAt: 0 }
  return worker(around).run(settings(input), testProvider)
}

const gone = async (server: RawServer) => await eventually(() => server.open() === 0, 'no connection stays')

const tcp = ({ host, port }: RawServer, more: object = {}) =>
  probe({ kind: 'tcp' as const, host, port, ...more })

describe('a TCP probe', () => {
  it('is healthy once it is connected, although nothing is said', async () => {
    const server = await rawServer()
    const elapsedMs: unknown = expect.any(Number)
    expect(await tcp(server)).toEqual({ kind: 'judged', status: 'healthy', detail: 'connected', elapsedMs })
    await gone(server)
  })

  it('is unhealthy where nobody listens', async () => {
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const address = closed.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    closed.close()
    await once(closed, 'close')
    const found = await probe({ kind: 'tcp', host: '127.0.0.1', port })
    expect(found).toMatchObject({ status: 'unhealthy', detail: 'connection refused' })
  })

  it('suspects its own host where the name cannot be resolved', async () => {
    const found = await probe({ kind: 'tcp', host: 'no-such-host.invalid', port: 1 })
    expect(found).toMatchObject({ status: 'unhealthy', suspectLocal: 'name_resolution' })
  })
})

describe('a TLS probe', () => {
  const unchecked = { rejectUnauthorized: false }

  it.each([
    [{ toDays: 90.5 }, unchecked, 'healthy', 'connected, the certificate expires in 90 days'],
    [{ toDays: 1.5 }, unchecked, 'healthy', 'connected, the certificate expires in 1 day'],
    [
      { toDays: 20.5 },
      { ...unchecked, minDaysToExpiry: 21 },
      'degraded',
      'connected, the certificate expires in 20 days, fewer than 21',
    ],
    [
      { toDays: 21.5 },
      { ...unchecked, minDaysToExpiry: 21 },
      'healthy',
      'connected, the certificate expires in 21 days',
    ],
    [{ fromDays: -9, toDays: -2.5 }, unchecked, 'unhealthy', 'TLS: the certificate expired 3 days ago'],
    [{ fromDays: 1 }, unchecked, 'unhealthy', 'TLS: the certificate is not valid yet'],
    [{}, true, 'unhealthy', 'TLS: depth zero self signed cert'],
    [{ toDays: 5 }, { minDaysToExpiry: 9 }, 'unhealthy', 'TLS: depth zero self signed cert'],
  ])('of a certificate %j with %j is %s', async (validity, tls, status, detail) => {
    const server = await rawServer(undefined, selfSigned(validity))
    expect(await tcp(server, { tls })).toMatchObject({ status, detail })
    await gone(server)
  })

  it('asks for the name it is to ask for', async () => {
    const hellos: string[] = []
    const server = await rawServer((socket) =>
      socket.once('data', (hello) => {
        hellos.push(String(hello))
        socket.end()
      }),
    )
    await tcp(server, { tls: { ...unchecked, servername: 'api.example.com' } })
    await tcp(server, { tls: unchecked })
    expect(hellos.map((hello) => hello.includes('api.example.com'))).toEqual([true, false])
  })

  // A server that says what is wrong is found long before its time limit.
  it.each<[string, (socket: Socket) => void, number, object]>([
    ['says nothing', () => undefined, 300, { status: 'timeout', detail: 'no answer within 300 ms' }],
    [
      'drips letters',
      (socket) => pour(socket, '\u0016', 20),
      300,
      { status: expect.stringMatching(/timeout|unhealthy/) as string },
    ],
    [
      'sends garbage',
      (socket) => pour(socket, 'garbage'.repeat(1_000), 0),
      10_000,
      { status: 'unhealthy', detail: expect.stringMatching(/^TLS: /) as string },
    ],
    ['closes', (socket) => socket.end(), 10_000, { status: 'unhealthy', detail: 'connection closed early' }],
  ])('of a server that %s ends in time', async (_, greet, timeoutMs, found) => {
    const server = await rawServer(greet)
    const { result, ms, lostMs } = await besideMachine(() => tcp(server, { tls: true, timeoutMs }))
    expect(result).toMatchObject(found)
    expect(ms).toBeLessThan(2_000 + lostMs)
    await gone(server)
  })
})

describe('a Redis probe', () => {
  it('pings, and asks for the role where one is wanted', async () => {
    const master = await startRedis()
    onTestFinished(() => master.stop())
    const url = `redis://127.0.0.1:${master.port}`
    expect(await probe({ kind: 'redis', url })).toMatchObject({ status: 'healthy', detail: 'PONG' })
    expect(await probe({ kind: 'redis', url, role: 'master' })).toMatchObject({
      status: 'healthy',
      detail: 'PONG, master',
    })
    expect(await probe({ kind: 'redis', url, role: 'replica' })).toMatchObject({
      status: 'unhealthy',
      detail: 'PONG, but the role is master, not replica',
    })
  })

  const AUTH = '*3\r\n$4\r\nAUTH\r\n$3\r\nbob\r\n$6\r\nsecret\r\n*1\r\n$4\r\nPING\r\n'

  it('takes its credentials from the variables of the worker, and only from there', async () => {
    const heard: string[] = []
    const server = await rawServer((socket) =>
      socket.on('data', (data) => {
        heard.push(String(data))
        socket.write('+OK\r\n+PONG\r\n')
      }),
    )
    const given = { usernameEnv: 'BUSBAR_PROBE_USER', passwordEnv: 'BUSBAR_PROBE_PASSWORD' }
    const wanted = settings({ kind: 'redis', url: `redis://127.0.0.1:${server.port}`, ...given })
    const environment = { BUSBAR_PROBE_USER: 'bob', BUSBAR_PROBE_PASSWORD: 'secret' }
    expect(await probeRedis(wanted, environment)).toMatchObject({ status: 'healthy' })
    expect(heard).toEqual([AUTH])
    expect(await probeRedis(wanted, { BUSBAR_PROBE_USER: 'bob' })).toEqual({
      kind: 'prober_error',
      reason: 'the environment variable BUSBAR_PROBE_PASSWORD is not set in this worker',
    })
  })

  it('reaches a Redis behind a socket', async () => {
    const folder = mkdtempSync(joinPath(tmpdir(), 'busbar-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const path = joinPath(folder, 'redis.sock')
    const server = createServer((socket) => socket.end('+PONG\r\n')).listen(path)
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    expect(await probe({ kind: 'redis', url: path })).toMatchObject({ status: 'healthy' })
    expect(await probe({ kind: 'redis', url: joinPath(folder, 'none') })).toMatchObject({
      status: 'unhealthy',
      detail: 'there is no such socket',
    })
  })

  const ROLE = '*3\r\n$5\r\nslave\r\n:1\r\n*1\r\n$1\r\nx\r\n'
  const NOT_REDIS = { status: 'unhealthy', detail: 'the answer is not that of a Redis' }
  const LATE = { status: 'timeout', detail: 'no answer within 300 ms' }
  const drip = (socket: Socket, text: string) => {
    const letters = Array.from(text)
    const next = () => {
      const letter = letters.shift()
      if (letter !== undefined && !socket.destroyed) socket.write(letter, () => setImmediate(next))
    }
    next()
  }

  it.each<[string, (socket: Socket) => void, object]>([
    ['says it is a replica, letter by letter', (s) => drip(s, `+PONG\r\n${ROLE}`), { status: 'healthy' }],
    ['says nothing', () => undefined, LATE],
    ['never ends its line', (s) => pour(s, '+', 20), LATE],
    ['sends an endless line', (s) => pour(s, '+'.repeat(9_000), 0), NOT_REDIS],
    ['promises a huge text', (s) => s.write('$999999999\r\n'), LATE],
    ['promises a text beyond all bounds', (s) => s.write('$99999999999999\r\n'), NOT_REDIS],
    ['promises a huge list', (s) => s.write('+PONG\r\n*999999999\r\n'), NOT_REDIS],
    ['nests without end', (s) => s.write('*1\r\n'.repeat(100)), NOT_REDIS],
    ['speaks HTTP', (s) => s.write('HTTP/1.1 400 Bad Request\r\n\r\n'), NOT_REDIS],
    ['answers something else', (s) => s.write('+HELLO\r\n'), NOT_REDIS],
    [
      'wants a password',
      (s) => s.write('-NOAUTH Authentication required.\r\n'),
      {
        status: 'unhealthy',
        detail: 'PING: NOAUTH Authentication required.',
      },
    ],
    [
      'has no role',
      (s) => s.write('+PONG\r\n:5\r\n'),
      {
        status: 'unhealthy',
        detail: 'PONG, but the role is unknown, not replica',
      },
    ],
    ['closes', (s) => s.end(), { status: 'unhealthy', detail: 'connection closed early' }],
  ])('of a server that %s ends in time', async (_, greet, found) => {
    const server = await rawServer(greet)
    const url = `redis://127.0.0.1:${server.port}`
    const { result, ms, lostMs } = await besideMachine(() =>
      probe({ kind: 'redis', url, role: 'replica', timeoutMs: 300 }),
    )
    expect(result).toMatchObject(found)
    expect(ms).toBeLessThan(2_000 + lostMs)
    await gone(server)
  })

  it('speaks TLS where the URL says so, and trusts no certificate of unknown origin', async () => {
    const server = await rawServer(undefined, selfSigned())
    expect(await probe({ kind: 'redis', url: `rediss://127.0.0.1:${server.port}` })).toMatchObject({
      status: 'unhealthy',
      detail: 'TLS: depth zero self signed cert',
    })
  })
})

const node = (script: string, ...args: string[]): { command: [string, ...string[]] } => ({
  command: [process.execPath, '-e', script, ...args],
})

describe('a process probe', () => {
  const asked = { kind: 'process', name: 'agent' } as const
  const of = (agent: ProcessSource, more: { timeoutMs?: number } = {}) =>
    probe({ ...asked, ...more }, { processes: { agent } })

  it('finds a process by its id', async () => {
    expect(await of({ pid: process.pid })).toMatchObject({
      status: 'healthy',
      detail: `process ${process.pid} runs`,
    })
    expect(await of({ pid: 1 }), 'EPERM counts as alive').toMatchObject({ status: 'healthy' })
    const pid = 2 ** 22 + 1 // above the largest that Linux gives
    expect(await of({ pid })).toMatchObject({ status: 'terminated', detail: `process ${pid} does not run` })
  })

  it.each([
    ['process.exit(7)', null, 'ended with exit code 7'],
    ['process.exit(0)', null, 'ended with exit code 0'],
    ['setInterval(() => {}, 1000)', 'SIGKILL', 'ended by SIGKILL'],
  ] as const)('knows how a child that ran %j ended', async (script, signal, detail) => {
    const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' })
    if (signal !== null) {
      expect(await of(child)).toMatchObject({ status: 'healthy', detail: `process ${child.pid} runs` })
      child.kill(signal)
    }
    await once(child, 'exit')
    expect(await of(child)).toMatchObject({ status: 'terminated', detail })
    expect(await of(() => child)).toMatchObject({ status: 'terminated', detail })
  })

  it('knows of a child that could not be started', async () => {
    const child = spawn('/no/such/file')
    await once(child, 'error')
    expect(await of(child)).toMatchObject({ status: 'terminated' })
  })

  it.each<[string, ProcessSource, string]>([
    [
      'throws',
      () => {
        throw new Error('no\nidea')
      },
      'what was registered for process agent threw: no idea',
    ],
    [
      'answers nonsense',
      () => 5 as never,
      'what was registered for process agent answered 5, expected { pid } or { command }',
    ],
    [
      'answers the id of a whole group',
      () => ({ pid: -1 }),
      'what was registered for process agent answered {"pid":-1}, expected { pid } or { command }',
    ],
    [
      'never answers',
      () => new Promise<never>(() => undefined),
      'what was registered for process agent did not answer within 100 ms',
    ],
    [
      'names a command that there is not',
      { command: ['/no/such/file'] },
      'the command /no/such/file cannot be started: ENOENT',
    ],
  ])('whose source %s is the fault of the worker', async (_, agent, reason) => {
    expect(await of(agent, { timeoutMs: 100 })).toEqual({ kind: 'prober_error', reason })
  })

  it('of a name that is not registered says so, whatever names an object has by nature', async () => {
    for (const name of ['agent-2', 'constructor', '__proto__', 'toString']) {
      expect(await probe({ ...asked, name }, { processes: {} })).toEqual({
        kind: 'prober_error',
        reason: `no process named ${name} is registered in this worker`,
      })
    }
  })
})

describe('a command', () => {
  const run = (script: string, timeoutMs = 15_000) => runCommand(node(script), timeoutMs)

  it.each([
    ['console.log("fine")', { status: 'healthy', detail: 'exit code 0', output: 'fine\n' }],
    [
      'console.log("out"); console.error("bad\\u0007 news"); process.exitCode = 3',
      {
        status: 'unhealthy',
        detail: expect.stringMatching(/^exit code 3: (out )?bad news( out)?$/) as string,
      },
    ],
    ['process.kill(process.pid, "SIGTERM")', { status: 'unhealthy', detail: 'ended by SIGTERM' }],
  ])('%s is judged by how it ends', async (script, found) => {
    expect(await run(script)).toMatchObject(found)
  })

  it('keeps the end of what it says, and no more than 4 KiB', async () => {
    const found = await run('process.stdout.write("x".repeat(1e6) + "the end"); process.exitCode = 1')
    if (!('output' in found)) throw new Error('no output')
    expect(found.output).toHaveLength(4_096)
    expect(found.output).toMatch(/x+the end$/)
    expect(found.detail).toMatch(/^exit code 1: x+the end$/)
    expect(found.detail.length).toBeLessThan(200)
  })

  it('is not given to a shell', async () => {
    const command = [process.execPath, '-p', 'process.argv[1]', '$(id); `id` && id'] as const
    expect(await runCommand({ command }, 5_000)).toMatchObject({
      output: '$(id); `id` && id\n',
    })
  })

  it('is killed at the time limit with all that it started', async () => {
    const folder = mkdtempSync(joinPath(tmpdir(), 'busbar-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = joinPath(folder, 'pids')
    const script = `
      process.on('SIGTERM', () => {})
      const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
      require('node:fs').writeFileSync(${JSON.stringify(file)}, process.pid + ' ' + child.pid)
      console.log('started')
      setInterval(() => {}, 1000)`
    const found = await run(script, 4_000)
    expect(found).toMatchObject({
      status: 'timeout',
      detail: 'the command did not end within 4000 ms: started',
    })
    const pids = readFileSync(file, 'utf8').split(' ').map(Number)
    expect(pids).toHaveLength(2)
    await eventually(() => !pids.some(isAlive), 'both are gone')
  })

  it('does not wait for what it left behind, and does not leave it', async () => {
    const script = `
      const child = require('node:child_process').spawn('sleep', ['60'], { stdio: 'inherit' })
      console.log(child.pid)
      process.exit(0)`
    const startedAt = performance.now()
    const found = await run(script)
    expect(found).toMatchObject({ status: 'healthy' })
    expect(performance.now() - startedAt).toBeLessThan(14_000)
    const pid = Number('output' in found ? found.output : 0)
    expect(pid).toBeGreaterThan(1)
    await eventually(() => !isAlive(pid))
  })
})

describe('a function probe', () => {
  const asked = { kind: 'function', name: 'check', timeoutMs: 200 } as const
  const of = (check: ProbeFunction) => probe(asked, { functions: { check } })

  it.each<[string, ProbeFunction, object]>([
    ['true', () => true, { status: 'healthy', detail: '' }],
    ['false', () => false, { status: 'unhealthy', detail: '' }],
    ['a status', () => Promise.resolve('degraded' as const), { status: 'degraded', detail: '' }],
    ['more', () => ({ status: 'unhealthy', detail: 'a\nb' }), { status: 'unhealthy', detail: 'a b' }],
    ['an error', () => Promise.reject(new Error('no disk')), { status: 'unhealthy', detail: 'no disk' }],
    [
      'an error at once',
      () => {
        throw new TypeError('x is undefined')
      },
      { status: 'unhealthy', detail: 'x is undefined' },
    ],
    [
      'something else thrown',
      () => {
        // What people throw is what this is about.
        throw Object.create(null) as Error
      },
      { status: 'unhealthy', detail: 'something that cannot be shown' },
    ],
    [
      'nothing',
      () => undefined as never,
      {
        kind: 'prober_error',
        reason: 'the function check answered nothing, expected a status, true, false or { status, detail }',
      },
    ],
    [
      'a status that does not exist',
      () => 'fine' as never,
      {
        kind: 'prober_error',
        reason: 'the function check answered "fine", expected a status, true, false or { status, detail }',
      },
    ],
  ])('that answers %s', async (_, check, found) => {
    expect(await of(check)).toMatchObject(found)
  })

  it('is told whom it checks, and when nobody waits for it any more', async () => {
    const told: unknown[] = []
    const found = await of(async ({ signal, providerId, timeoutMs }) => {
      told.push(providerId, timeoutMs)
      await once(signal, 'abort')
      told.push('aborted')
      throw new Error('too late for anybody')
    })
    const detail = 'the function check did not end within 200 ms'
    expect(found).toMatchObject({ status: 'timeout', detail })
    expect(told).toEqual(['a', 200, 'aborted'])
  })

  it('that hangs is not called again until it has ended, for this provider', async () => {
    const calls: string[] = []
    let release: (status: true) => void = () => undefined
    const check: ProbeFunction = ({ providerId }) => {
      calls.push(providerId)
      return new Promise<true>((resolve) => (release = resolve))
    }
    const runner = worker({ functions: { check } })
    const tick = (providerId: string) =>
      runner.run(settings(asked), { providerId, heard: NEVER_HEARD, settingsSetAt: 0 })
    expect(await tick('a')).toMatchObject({ status: 'timeout' })
    expect(await tick('a')).toMatchObject({
      status: 'timeout',
      detail: 'the function check has not ended since an earlier probe',
    })
    expect(calls).toEqual(['a'])
    release(true)
    await Promise.resolve()
    const third = tick('a')
    await eventually(() => calls.length === 2)
    release(true)
    expect(await third).toMatchObject({ status: 'healthy' })
  })

  it('of a name that is not registered says so', async () => {
    const reason = 'no function named check is registered in this worker'
    expect(await probe(asked)).toEqual({ kind: 'prober_error', reason })
  })
})

describe('a heartbeat probe', () => {
  const asked = { kind: 'heartbeat', ttlMs: 1_000, stallMs: 5_000 } as const

  it.each<[string, Partial<Heard>, object]>([
    ['still has time for the first', { at: 1_000 }, { kind: 'nothing_yet', reason: 'no heartbeat yet' }],
    [
      'never came',
      { at: 1_001 },
      { status: 'timeout', detail: 'no heartbeat yet, 1000 ms after it was registered' },
    ],
    ['came in time', { at: 1_500, heartbeatAt: 500 }, { status: 'healthy', detail: 'heartbeat 1000 ms ago' }],
    [
      'came too late',
      { at: 1_501, heartbeatAt: 500 },
      { status: 'timeout', detail: 'no heartbeat for 1001 ms' },
    ],
    [
      'came with progress',
      { at: 9_000, heartbeatAt: 8_990, heartbeatProgress: 7, heartbeatProgressAt: 4_000 },
      { status: 'healthy', detail: 'heartbeat 10 ms ago, progress 7' },
    ],
    [
      'came without progress',
      { at: 9_001, heartbeatAt: 9_000, heartbeatProgress: 7, heartbeatProgressAt: 4_000 },
      { status: 'degraded', detail: 'heartbeats, but no progress beyond 7 for 5001 ms' },
    ],
    [
      'came, and never said any progress',
      { at: 9_001, heartbeatAt: 9_000, heartbeatProgressAt: 4_000 },
      { status: 'degraded', detail: 'heartbeats, but no progress for 5001 ms' },
    ],
  ])('that %s', async (_, heard, found) => {
    expect(await probe(asked, { heard })).toMatchObject(found)
  })

  it('looks at its process as well, in the worker that knows it', async () => {
    const heard = { at: 10, heartbeatAt: 5 }
    const both = { ...asked, process: 'agent' }
    const agent = { pid: process.pid }
    expect(await probe(both, { heard, processes: { agent } })).toMatchObject({ status: 'healthy' })
    const ended = { pid: process.pid, exitCode: 3 }
    expect(await probe(both, { heard, processes: { agent: ended } })).toMatchObject({
      status: 'terminated',
      detail: 'ended with exit code 3',
    })
    expect(await probe(both, { heard }), 'elsewhere the heartbeat alone tells').toMatchObject({
      status: 'healthy',
    })
  })
})

describe('a worker of a fleet', () => {
  async function join() {
    const namespace = testNamespace()
    const redis = new Redis(redisUrl())
    const lines: [string, object][] = []
    const keep = (fields: object, message: string) => void lines.push([message, fields])
    const logger = { debug: keep, info: keep, warn: keep, error: keep }
    const busbar = await connect({ redis: redisUrl(), namespace, logger, commandTimeoutMs: 5_000 })
    onTestFinished(async () => {
      await busbar.close()
      await removeKeys(redis, namespace)
      await redis.quit()
    })
    return { busbar, logged: (message: string) => lines.filter(([said]) => said === message) }
  }

  it('runs no command because somebody wrote it to Redis: only its own code may name one', async () => {
    const { busbar } = await join()
    const folder = mkdtempSync(joinPath(tmpdir(), 'busbar-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = joinPath(folder, 'written')
    const evil = node(`require('node:fs').writeFileSync(${JSON.stringify(file)}, 'x')`)
    const written = { kind: 'process', name: 'a', ...evil } as never
    await expect(busbar.provider('a', { probe: written })).rejects.toThrow(
      'probe.command: unknown setting (got [',
    )
    await busbar.startProbes({ processes: { mine: node('process.exit(0)') } })
    const a = await busbar.provider('a', { probe: { kind: 'process', name: 'mine', timeoutMs: 9_000 } })
    await eventually(async () => (await a.snapshot()).lastProbeStatus === 'healthy', 'its own is run')
    expect((await a.snapshot()).lastProbeDetail).toBe('exit code 0')
    expect(existsSync(file)).toBe(false)
  })

  it('discards what it cannot make, says so once, and leaves the provider alone', async () => {
    const { busbar, logged } = await join()
    await busbar.startProbes({ functions: { odd: () => undefined as never } })
    const a = await busbar.provider('a', { probe: { kind: 'function', name: 'none', intervalMs: 50 } })
    const b = await busbar.provider('b', { probe: { kind: 'function', name: 'odd', intervalMs: 50 } })
    await eventually(
      () => busbar.counters.probesDiscarded >= 5 && busbar.counters.probeTurnsLost >= 5,
      'several are discarded, and turns are lost',
    )
    for (const provider of [a, b]) {
      expect(await provider.snapshot()).toMatchObject({ lastProbeStatus: null, historyTotal: 0 })
    }
    expect(
      (await a.snapshot()).probeStartedAt,
      'the period is left to a worker that knows the function',
    ).toBeNull()
    expect(logged('probe discarded: it could not be made here').map(([, fields]) => fields)).toEqual([
      expect.objectContaining({ provider: 'b' }),
    ])
    expect(logged('a turn of a probe was lost').map(([, fields]) => fields)).toEqual([
      { provider: 'a', reason: 'no worker has registered function/none' },
    ])
    expect(busbar.counters.probeTurnsLost).toBeGreaterThan(1)
  })

  it('gives the trial back when it discards the probe that held it', async () => {
    const { busbar } = await join()
    let odd = true
    await busbar.startProbes({ functions: { f: () => (odd ? (undefined as never) : true) } })
    const a = await busbar.provider('a', {
      breaker: { cooldownMs: 50, trialLeaseMs: 86_400_000 },
      probe: { kind: 'function', name: 'f', intervalMs: 50 },
    })
    await a.trip({ forMs: 50 })
    await eventually(() => busbar.counters.probesDiscarded >= 3, 'trials are discarded')
    odd = false
    await eventually(async () => (await a.state()) === 'closed', 'a later one closes it')
  })

  it('is not held up by a function that hangs', async () => {
    const { busbar } = await join()
    const hang = () => new Promise<never>(() => undefined)
    await busbar.startProbes({ concurrency: 1, functions: { hang, fine: () => true } })
    const a = await busbar.provider('a', { probe: { kind: 'function', name: 'hang', intervalMs: 50 } })
    const b = await busbar.provider('b', { probe: { kind: 'function', name: 'fine', intervalMs: 50 } })
    await eventually(async () => (await b.historySize()) >= 5, 'the other is probed')
    await eventually(async () => (await a.state()) === 'open', 'it opens')
    expect(await a.snapshot()).toMatchObject({ lastProbeStatus: 'timeout' })
    expect(await b.successRate()).toBe(1)
  })

  it('hears a heartbeat, its silence, and its return', async () => {
    const { busbar } = await join()
    await busbar.startProbes()
    const a = await busbar.provider('a', {
      breaker: { failureThreshold: 2, cooldownMs: 100 },
      probe: { kind: 'heartbeat', ttlMs: 300, intervalMs: 50 },
    })
    await a.heartbeat({ progress: 1 })
    // Its silence follows soon, and then trials that fail: what is compared is what was seen, and the first opening.
    let heard = ''
    await eventually(async () => {
      const { lastProbeStatus, lastProbeDetail } = await a.snapshot()
      if (lastProbeStatus === 'healthy') heard = lastProbeDetail
      return heard !== ''
    }, 'it is heard')
    expect(heard).toMatch(/^heartbeat \d+ ms ago, progress 1$/)
    const openings = async () => (await a.events()).filter(({ kind }) => kind === 'opened')
    await eventually(async () => (await openings()).length > 0, 'its silence opens the circuit')
    const [first] = await openings()
    expect(first?.reason).toMatch(/^2 consecutive failed probes, last: timeout \(no heartbeat/)
    await eventually(async () => {
      await a.heartbeat()
      return (await a.state()) === 'closed'
    }, 'its return closes it')
    await expect(a.heartbeat({ progress: 0.5 })).rejects.toThrow(
      'heartbeat.progress: expected a whole number from 0 to 10000000000000, got 0.5',
    )
  })

  it.each<[string, object, string]>([
    [
      'a command in one text',
      { processes: { a: { command: 'rm -rf /' } } },
      'startProbes.processes.a: expected { pid }, { command: [file, ...args] }, or a function that answers one of them, got {"command":"rm -rf /"}',
    ],
    [
      'the pid of a whole group',
      { processes: { a: { pid: 0 } } },
      'startProbes.processes.a: expected { pid }, { command: [file, ...args] }, or a function that answers one of them, got {"pid":0}',
    ],
    [
      'a command of nothing',
      { processes: { a: { command: [] } } },
      'startProbes.processes.a: expected { pid }, { command: [file, ...args] }, or a function that answers one of them, got {"command":[]}',
    ],
    [
      'functions in a list',
      { functions: [] },
      'startProbes.functions: expected an object of name -> function, got []',
    ],
    [
      'a function that is none',
      { functions: { f: true } },
      'startProbes.functions.f: expected a function, got true',
    ],
  ])('refuses to register %s', async (_, options, message) => {
    const { busbar } = await join()
    await expect(busbar.startProbes(options)).rejects.toThrow(message)
  })
})
