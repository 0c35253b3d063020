import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { findRedisServer } from '../../src/embedded/index.js'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'busbar-find-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

function executable(...parts: string[]): string {
  const path = join(folder, ...parts)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, '#!/bin/sh\n')
  chmodSync(path, 0o755)
  return path
}

/** What is found in two folders of ours, with nothing of this machine. */
function find() {
  return findRedisServer({
    folders: [join(folder, 'a'), join(folder, 'b')],
    privateFolder: join(folder, 'private'),
  })
}

describe('findRedisServer', () => {
  it('finds nothing where there is nothing', () => {
    expect(find()).toBeUndefined()
  })

  it('finds redis-server before the others, in whichever folder', () => {
    executable('a', 'valkey-server')
    executable('a', 'redis-check-rdb')
    const path = executable('b', 'redis-server')
    expect(find()).toEqual({ path, argv0: 'redis-server' })
  })

  it('takes valkey-server under its own name', () => {
    const path = executable('b', 'valkey-server')
    expect(find()).toEqual({ path, argv0: 'valkey-server' })
  })

  it('takes redis-check-rdb, to be called redis-server', () => {
    const path = executable('a', 'redis-check-rdb')
    expect(find()).toEqual({ path, argv0: 'redis-server' })
  })

  it('passes over what is not executable, or a folder', () => {
    chmodSync(executable('a', 'redis-server'), 0o644)
    mkdirSync(join(folder, 'b', 'redis-server'), { recursive: true })
    // Root may enter any folder, but runs only files that somebody may run.
    expect(find()).toBeUndefined()
  })

  it('finds a private download last, with its libraries', () => {
    const path = executable('private', 'usr', 'bin', 'redis-check-rdb')
    mkdirSync(join(folder, 'private', 'usr', 'lib', 'some-linux-gnu'), { recursive: true })
    const libraryPath = join(folder, 'private', 'usr', 'lib', 'some-linux-gnu')
    expect(find()).toEqual({ path, argv0: 'redis-server', libraryPath })

    const installed = executable('a', 'redis-server')
    expect(find()).toEqual({ path: installed, argv0: 'redis-server' })
  })
})
