import { spawn } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

import { eventually } from '../harness/eventually.mjs'
import { isAlive } from '../harness/process.js'

interface Child {
  pid: number
  home: string
  port: number
}

/** A process with a private Redis of its own; it uses dist/, as users do. */
async function parentThat(does: 'wait' | 'throw' | 'end') {
  const script = fileURLToPath(new URL('../harness/redis-parent.mjs', import.meta.url))
  const parent = spawn(process.execPath, [script, does], { stdio: ['ignore', 'pipe', 'ignore'] })
  const exited = new Promise<void>((resolve) => parent.once('exit', () => resolve()))
  for await (const line of createInterface(parent.stdout)) {
    // What our own script printed one line ago.
    return { parent, exited, redis: JSON.parse(line) as Child }
  }
  throw new Error('the parent started no Redis; is dist/ built?')
}

/** Nobody is left: neither the server nor the shells that watched it. */
async function expectGone({ pid, home }: Child): Promise<void> {
  await eventually(() => !isAlive(pid) && !existsSync(home))
  await eventually(() => processesNaming(home).length === 0)
}

function processesNaming(text: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text)
    } catch {
      return false // ended while we looked
    }
  })
}

describe('a private Redis whose parent', () => {
  it('is killed dies with it', async () => {
    const { parent, redis } = await parentThat('wait')
    expect(isAlive(redis.pid)).toBe(true)
    parent.kill('SIGKILL')
    await expectGone(redis)
  })

  it('is killed dies with it even when frozen', async () => {
    const { parent, redis } = await parentThat('wait')
    process.kill(redis.pid, 'SIGSTOP')
    parent.kill('SIGKILL')
    await expectGone(redis)
  })

  it('gets SIGTERM dies with it', async () => {
    const { parent, redis } = await parentThat('wait')
    parent.kill('SIGTERM')
    await expectGone(redis)
  })

  it('crashes dies with it', async () => {
    const { exited, redis } = await parentThat('throw')
    await exited
    await expectGone(redis)
  })

  it('forgot to stop it does not keep that parent alive', async () => {
    const { exited, redis } = await parentThat('end')
    await exited
    await expectGone(redis)
  })

  it('gets Ctrl-C outlives the signal, so that the parent can end in order', async () => {
    const { parent, redis } = await parentThat('wait')
    // Ctrl-C goes to the process group in the terminal's foreground; the server is in a session of its own.
    const stat = readFileSync(`/proc/${redis.pid}/stat`, 'utf8')
    const [, , group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const own = readFileSync('/proc/self/stat', 'utf8')
    const [, , ownGroup, ownSession] = own.slice(own.lastIndexOf(')') + 2).split(' ')
    expect(group).not.toBe(ownGroup)
    expect(session).not.toBe(ownSession)
    parent.kill('SIGKILL')
    await expectGone(redis)
  })
})
