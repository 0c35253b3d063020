import { spawn } from 'node:child_process'
import { existsSync, openSync, closeSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { BIN, survivors } from '../harness/cli.js'
import { cliFleet, type CliFleet } from '../harness/cli-fleet.js'

type Stream = 'stdout' | 'stderr'

/** Runs the command for a reader who goes: at once, or once the first bytes came. */
async function forReaderWhoGoes(
  fleet: CliFleet,
  args: readonly string[],
  { gone, when }: { readonly gone: Stream; readonly when: 'at once' | 'after the first line' },
) {
  const child = spawn(
    process.execPath,
    [BIN, ...args, '--redis', fleet.url, '--namespace', fleet.namespace],
    { cwd: fleet.folder, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  onTestFinished(async () => {
    await survivors([child.pid ?? 0], 0)
  })
  let other = ''
  const [leaving, kept] = gone === 'stdout' ? [child.stdout, child.stderr] : [child.stderr, child.stdout]
  if (when === 'at once') leaving.destroy()
  else leaving.once('data', () => leaving.destroy())
  kept.setEncoding('utf8').on('data', (text: string) => (other += text))
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { code, other }
}

const STACK = /EPIPE|Unhandled|\n\s+at /

describe('a command whose reader goes (busbar ... | head -1) ends without a stack trace', () => {
  it.each([
    [['--help'], 0],
    [['status', '--help'], 0],
    [['--version'], 0],
    [['status'], 2],
    [['status', '--json'], 2],
    [['status', 'api'], 2],
    [['explain', 'api'], 0],
    [['history', 'api'], 0],
    [['events'], 0],
    [['doctor', '--json'], 0],
    [['mark', 'api', 'degraded'], 0],
  ] as const)('%j with its own exit code, %d', async (args, code) => {
    const fleet = await cliFleet()
    await (await fleet.busbar.provider('api', {})).trip({ reason: 'x' })
    const result = await forReaderWhoGoes(fleet, args, { gone: 'stdout', when: 'at once' })
    expect(result.code).toBe(code)
    expect(result.other).not.toMatch(STACK)
  })

  it.each([['--bogus'], ['status', 'apj'], ['apply']])(
    '%s: also when it is standard error that nobody reads',
    async (...args) => {
      const fleet = await cliFleet()
      const { code } = await forReaderWhoGoes(fleet, args, { gone: 'stderr', when: 'at once' })
      expect([3, 64]).toContain(code)
    },
  )

  it.each([
    [['events', '-f']],
    [['events', '-f', '--json']],
    [['watch']],
    [['watch', '--json']],
    [['start', '--config', 'fleet.yaml']],
    [['start', '--config', 'fleet.yaml', '--json']],
  ])('%j ends with 0 at what it says next', async (args) => {
    const fleet = await cliFleet()
    fleet.file('providers: { api: {} }')
    const api = await fleet.busbar.provider('api', {})
    const ended = forReaderWhoGoes(fleet, args, { gone: 'stdout', when: 'after the first line' })
    const churn = setInterval(() => {
      api
        .trip({ reason: 'y' })
        .then(() => api.reset())
        .catch(() => undefined) // the test is over
    }, 100)
    const { code, other } = await ended.finally(() => clearInterval(churn))
    expect(code).toBe(0)
    expect(other).not.toMatch(STACK)
  })
})

describe('an answer that could not be written', () => {
  it('is a failure of its own, in one line', async ({ skip, task }) => {
    if (!existsSync('/dev/full')) return skip((task.meta.skipReason = 'there is no /dev/full here'))
    const fleet = await cliFleet()
    await fleet.busbar.provider('api', {})
    const full = openSync('/dev/full', 'w')
    const child = spawn(
      process.execPath,
      [BIN, 'status', '--redis', fleet.url, '--namespace', fleet.namespace],
      { stdio: ['ignore', full, 'pipe'] },
    )
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text))
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
    closeSync(full)
    expect(code).toBe(70)
    expect(said).toMatch(/^busbar: the output could not be written: ENOSPC.*\n$/)
  })
})
