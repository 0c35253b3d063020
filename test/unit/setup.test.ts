import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { birthOf, withLock } from '../../scripts/setup/lock.mjs'
import { dependenciesHash, isCurrent, sourcesHash, writeStamp } from '../../scripts/setup/stamp.mjs'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'busbar-setup-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

const lockUrl = pathToFileURL(join(import.meta.dirname, '../../scripts/setup/lock.mjs')).href

/** Another process that takes the lock, says so, and keeps it for `heldMs`. */
function otherHolder(file: string, heldMs: number) {
  const code = `
    const { withLock } = await import(${JSON.stringify(lockUrl)})
    await withLock(${JSON.stringify(file)}, () => {}, async () => {
      console.log('held')
      await new Promise((resolve) => setTimeout(resolve, ${heldMs}))
    })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const held = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()))
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return { child, held, exited }
}

describe('the setup lock', () => {
  it('lets one in, and is gone afterwards, also when the work failed', async () => {
    const file = join(folder, 'below', 'lock')
    const work = () => Promise.reject(new Error('on purpose'))
    await expect(withLock(file, () => undefined, work)).rejects.toThrow('on purpose')
    expect(existsSync(file)).toBe(false)
    expect(
      await withLock(
        file,
        () => undefined,
        () => 7,
      ),
    ).toBe(7)
  })

  it('makes the second wait, and say so once', async () => {
    const file = join(folder, 'lock')
    const other = otherHolder(file, 500)
    await other.held
    const said: string[] = []
    await withLock(
      file,
      (line) => said.push(line),
      () => undefined,
    )
    expect(said).toEqual([`waiting for another setup in this folder (pid ${other.child.pid})`])
    await other.exited
  })

  it('is taken over from a holder that was killed', async () => {
    const file = join(folder, 'lock')
    const other = otherHolder(file, 60_000)
    await other.held
    other.child.kill('SIGKILL')
    await other.exited
    expect(existsSync(file)).toBe(true)
    const said: string[] = []
    await withLock(
      file,
      (line) => said.push(line),
      () => undefined,
    )
    expect(said).toEqual([])
  })

  it('is taken over when another process has the pid of its dead holder', async () => {
    const file = join(folder, 'lock')
    writeFileSync(file, JSON.stringify({ pid: process.pid, born: 'in another life' }))
    expect(
      await withLock(
        file,
        () => undefined,
        () => 'taken',
      ),
    ).toBe('taken')
  })

  it('is held by one at a time when several find a dead holder', async () => {
    const file = join(folder, 'lock')
    writeFileSync(file, JSON.stringify({ pid: process.pid, born: 'in another life' }))
    let inside = 0
    let most = 0
    const work = async () => {
      inside += 1
      most = Math.max(most, inside)
      await sleep(5)
      inside -= 1
    }
    await Promise.all(Array.from({ length: 5 }, () => withLock(file, () => undefined, work)))
    expect(most).toBe(1)
  })

  it('knows a process by the time it started', () => {
    expect(birthOf(process.pid)).toBe(birthOf(process.pid))
    expect(birthOf(process.pid)).not.toBe(birthOf(process.ppid))
    expect(birthOf(2 ** 30)).toBeUndefined()
  })
})

describe('the stamps', () => {
  beforeEach(() => {
    for (const name of ['src/deep', 'lua', 'scripts/setup'])
      mkdirSync(join(folder, name), { recursive: true })
    write('package.json', '{ "version": "1.0.0" }')
    write('package-lock.json', '{}')
    write('tsconfig.json', '{}')
    write('scripts/build.mjs', '')
    write('scripts/setup/dashboard.mjs', '')
    write('src/deep/a.ts', 'a')
    write('lua/record.lua', 'return 1')
  })

  const write = (name: string, content: string) => writeFileSync(join(folder, name), content)

  it('are current until what they stand for changes', () => {
    const stamp = join(folder, 'stamp')
    expect(isCurrent(stamp, sourcesHash(folder))).toBe(false)
    writeStamp(stamp, sourcesHash(folder))
    expect(isCurrent(stamp, sourcesHash(folder))).toBe(true)
    write('src/deep/a.ts', 'b')
    expect(isCurrent(stamp, sourcesHash(folder))).toBe(false)
  })

  it.each([
    ['a source that changed', () => write('src/deep/a.ts', 'b')],
    ['a source that was added', () => write('src/b.ts', '')],
    [
      'a source that was renamed',
      () => renameSync(join(folder, 'src/deep/a.ts'), join(folder, 'src/deep/c.ts')),
    ],
    ['a script', () => write('lua/record.lua', 'return 2')],
    ['another package to bundle', () => write('package-lock.json', '{ }')],
    ['the compiler settings', () => write('tsconfig.json', '{ }')],
    ['the version', () => write('package.json', '{ "version": "1.0.1" }')],
  ])('notice %s', (_, change) => {
    const before = sourcesHash(folder)
    change()
    expect(sourcesHash(folder)).not.toBe(before)
  })

  it('notice another package lock, and nothing else for the packages', () => {
    const before = dependenciesHash(folder)
    write('src/deep/a.ts', 'b')
    expect(dependenciesHash(folder)).toBe(before)
    write('package-lock.json', '{ }')
    expect(dependenciesHash(folder)).not.toBe(before)
  })
})
