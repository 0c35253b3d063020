import { spawnSync } from 'node:child_process'
import { expect, describe, it, onTestFinished } from 'vitest'
import { connect } from '../../src/index.js'
import { startRedis } from '../../src/embedded/index.js'
import { BIN, spawnCli, startCommand, survivors } from '../harness/cli.js'
import { cliFleet, interrupt } from '../harness/cli-fleet.js'
import { startProxy } from '../harness/proxy.js'
import { testNamespace } from '../harness/redis.js'
import { widthOf } from '../../src/view/text-width.js'

interface Line {
  readonly kind?: string
  readonly providerId?: string
  readonly providers?: readonly { readonly id: string; readonly state: string }[]
  readonly error?: { readonly code: string }
}

const linesOf = (output: string): Line[] =>
  output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line) // what the test looks at is what it expects to be there

/** A Redis of its own behind a wire that can be cut, and a busbar on the near side of it. */
async function cutOff() {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const proxy = await startProxy(server.port)
  const namespace = testNamespace()
  const busbar = await connect({ redis: server.url, namespace, logger: false, commandTimeoutMs: 5_000 })
  onTestFinished(() => busbar.close())
  const start = (...args: string[]) => {
    const command = startCommand([BIN, ...args, '--redis', proxy.url, '--namespace', namespace])
    onTestFinished(async () => {
      await survivors([command.pid], 0)
    })
    return command
  }
  return { proxy, busbar, start }
}

describe('busbar events -f', () => {
  it('shows the newest, then each as it happens, of one provider; Ctrl-C ends it with 0', async () => {
    const fleet = await cliFleet()
    const api = await fleet.busbar.provider('api', {})
    const other = await fleet.busbar.provider('other', {})
    await api.trip({ reason: 'one' })
    const following = fleet.start('events', 'api', '-f', '--count', '1')
    await following.said(/api opened: one$/m)
    await other.trip({ reason: 'not asked for' })
    await api.reset({ reason: 'two' })
    await following.said(/api reset \(from open\): two$/m)
    expect(await interrupt(following)).toBe(0)
    expect(following.output().trim().split('\n')).toHaveLength(2)
  })

  it('of all, as JSON, one line each and in order', async () => {
    const fleet = await cliFleet()
    const following = fleet.start('events', '-f', '--json')
    const names = ['a', 'b', 'c']
    await fleet.busbar.provider('z', {})
    await following.said(/"providerId":"z"/)
    for (const id of names) await (await fleet.busbar.provider(id, {})).markDegraded()
    await following.said(/"kind":"marked","providerId":"c"/)
    const lines = linesOf(following.output())
    expect(lines.filter(({ kind }) => kind === 'marked').map(({ providerId }) => providerId)).toEqual(names)
    expect(lines.filter(({ kind }) => kind === 'registered')).toHaveLength(4)
    expect(await interrupt(following)).toBe(0)
  })

  it('misses nothing that happened while Redis could not be reached, and shows nothing twice', async () => {
    const { proxy, busbar, start } = await cutOff()
    const api = await busbar.provider('api', {})
    const following = start('events', '-f')
    await following.said(/api registered/)
    proxy.cut()
    await api.trip({ reason: 'unseen' })
    await following.said(/^busbar: Redis does not answer .*; waiting for it$/m)
    proxy.restore()
    await following.said(/api opened: unseen/)
    await api.reset({ reason: 'seen' })
    await following.said(/reset \(from open\): seen/)
    expect(await interrupt(following)).toBe(0)
    expect(following.output().match(/ api /g)).toHaveLength(3)
  })

  it('of a provider that nobody knows answers 3', async () => {
    const fleet = await cliFleet()
    expect(await fleet.start('events', 'apj', '-f').exit).toBe(3)
  })
})

describe('busbar events without an id', () => {
  it('shows the newest of all, and whose they are', async () => {
    const fleet = await cliFleet()
    await (await fleet.busbar.provider('api', {})).trip({ reason: 'red', actor: 'bob' })
    await fleet.busbar.provider('other', {})
    const { stdout } = await fleet.run(['events', '--count', '2'])
    expect(stdout).toMatch(/^PROVIDER +AT +EVENT +BY +REASON\napi .* opened +bob +red\nother .* registered/)
  })
})

describe('busbar watch', () => {
  it('prints a table per change where nobody looks at a screen', async () => {
    const fleet = await cliFleet()
    const api = await fleet.busbar.provider('api', {})
    const watching = fleet.start('watch')
    await watching.said(/^api +● healthy +closed/m)
    await api.trip({ reason: 'red page' })
    await watching.said(/^api +✖ unhealthy +open .* red page/m)
    expect(await interrupt(watching)).toBe(0)
    expect(watching.output().match(/^PROVIDER /gm)).toHaveLength(2)
    expect(watching.output()).not.toContain('\u001b')
  })

  it('tells a program, a line per change: also when Redis goes, and when it comes back', async () => {
    const { proxy, busbar, start } = await cutOff()
    const api = await busbar.provider('api', {})
    const watching = start('watch', '--json')
    await watching.said(/"state":"closed"/)
    proxy.cut()
    await api.trip()
    await watching.said(/"code":"redis_unavailable"/)
    proxy.restore()
    await watching.said(/"state":"open"/)
    expect(await interrupt(watching)).toBe(0)
    const lines = linesOf(watching.output())
    expect(lines.map(({ providers, error }) => error?.code ?? providers?.map(({ state }) => state))).toEqual([
      ['closed'],
      'redis_unavailable',
      ['open'],
    ])
  })

  it('has the whole of a terminal while it runs, and gives it back', async ({ task, skip }) => {
    if (process.platform !== 'linux' || spawnSync('script', ['--version']).status !== 0) {
      task.meta.skipReason = 'there is no script(1) of util-linux, which gives a terminal'
      return skip(task.meta.skipReason)
    }
    const fleet = await cliFleet()
    const api = await fleet.busbar.provider('api', {})
    const command = `stty rows 24 cols 100; exec ${process.execPath} ${BIN} watch --redis ${fleet.url} --namespace ${fleet.namespace}`
    const terminal = fleet.terminal(command)
    await terminal.said(/● healthy/)
    await api.trip({ reason: 'red page' })
    await terminal.said(/EVENTS[^]*opened.*: red page/)
    terminal.type('\u0003')
    expect(await terminal.exit).toBe(0)
    const output = terminal.output()
    expect(output.startsWith('\u001b[?1049h\u001b[?25l')).toBe(true)
    expect(output.endsWith('\u001b[?7h\u001b[?25h\u001b[?1049l')).toBe(true)
  })

  it('scrolls and filters a fleet that does not fit, by keys, and ends by q', async ({ task, skip }) => {
    if (process.platform !== 'linux' || spawnSync('script', ['--version']).status !== 0) {
      task.meta.skipReason = 'there is no script(1) of util-linux, which gives a terminal'
      return skip(task.meta.skipReason)
    }
    const fleet = await cliFleet()
    const ids = Array.from({ length: 60 }, (_, at) => `provider-${at}-${'x'.repeat(100)}`)
    await Promise.all(ids.map(async (id) => (await fleet.busbar.provider(id, {})).record('healthy')))
    await fleet.busbar.flush()
    const command = `stty rows 20 cols 60; exec ${process.execPath} ${BIN} watch --redis ${fleet.url} --namespace ${fleet.namespace}`
    const terminal = fleet.terminal(command)
    await terminal.said(/↑ 0 above {2}↓ 47 below {2}of 60/)
    terminal.type('\u001b[6~')
    await terminal.said(/↑ 13 above {2}↓ 34 below {2}of 60/)
    terminal.type('/provider-59\r')
    await terminal.said(/\/provider-59: 1 of 60/)
    terminal.type('q')
    expect(await terminal.exit).toBe(0)
    const frames = terminal.output().split('\u001b[H').slice(1)
    for (const frame of frames) {
      const lines = frame.split('\u001b[J')[0]?.split('\r\n') ?? []
      expect(lines.length).toBeLessThanOrEqual(20)
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(59)
    }
    expect(terminal.output().endsWith('\u001b[?7h\u001b[?25h\u001b[?1049l')).toBe(true)
  })

  it('of an unreachable Redis answers 3, as any command', async () => {
    expect((await spawnCli(['watch', '--redis', 'redis://127.0.0.1:1'])).code).toBe(3)
  })
})
