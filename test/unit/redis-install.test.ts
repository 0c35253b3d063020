import { describe, expect, it } from 'vitest'

import { installRedis } from '../../scripts/setup/redis/install.mjs'
import type { InstallOptions } from '../../scripts/setup/redis/install.mjs'
import { startPrivateRedis } from '../../src/cli/start/private-redis.js'
import { Shutdown } from '../../src/cli/start/shutdown.js'
import * as embedded from '../../src/embedded/index.js'

const server = { path: '/usr/bin/redis-check-rdb', argv0: 'redis-server' }

interface Imagined {
  platform?: string
  uid: number
  /** Commands of the imagined machine. */
  commands: string[]
  /** Which command lines fail there. */
  fails?: RegExp
  /** After which command line there is a Redis. */
  installs?: RegExp
  noInstall?: boolean
}

/** Runs installRedis on a machine that is only told of; answers what it did, said and ended with. */
async function installOn({
  platform = 'linux',
  uid,
  commands,
  fails,
  installs,
  noInstall = false,
}: Imagined) {
  const ran: string[] = []
  const said: string[] = []
  let found = false
  const options: InstallOptions = {
    platform,
    uid,
    noInstall,
    has: (command) => commands.includes(command),
    run: (command, args) => {
      const line = [command, ...args].join(' ')
      ran.push(line)
      found ||= installs?.test(line) ?? false
      const code = fails?.test(line) ? 100 : 0
      return Promise.resolve({ code, output: '', problem: code === 0 ? '' : `E: ${command} said no` })
    },
    folder: '/nonexistent/busbar/redis',
    find: () => (found ? server : undefined),
  }
  const result = await installRedis((line) => said.push(line), embedded, options).catch(
    (error: unknown) => error,
  )
  return { ran, said, result }
}

const debian = ['apt-get', 'dpkg-deb']

describe('installRedis', () => {
  it('uses apt-get as root, without questions', async () => {
    const { ran, said, result } = await installOn({ uid: 0, commands: debian, installs: /redis-tools/ })
    expect(result).toEqual(server)
    expect(ran[0]).toBe('env DEBIAN_FRONTEND=noninteractive apt-get update')
    expect(ran[1]).toMatch(/^env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends/)
    expect(said).toHaveLength(1)
  })

  it('installs from the lists at hand when they cannot be updated', async () => {
    const { result } = await installOn({ uid: 0, commands: debian, fails: /update/, installs: /redis-tools/ })
    expect(result).toEqual(server)
  })

  it('asks sudo only in the way that cannot ask back', async () => {
    const commands = [...debian, 'sudo']
    const { ran, result } = await installOn({ uid: 1000, commands, installs: /apt-get install/ })
    expect(result).toEqual(server)
    const withSudo = ran.filter((line) => line.startsWith('sudo'))
    expect(withSudo).toHaveLength(3)
    expect(withSudo.every((line) => line.startsWith('sudo -n '))).toBe(true)
  })

  it('downloads for this user when sudo would need a password', async () => {
    const { said } = await installOn({ uid: 1000, commands: [...debian, 'sudo'], fails: /^sudo/ })
    expect(said).toEqual(['downloading Redis for this user into /nonexistent/busbar/redis'])
  })

  it('uses Homebrew on macOS', async () => {
    const commands = ['brew']
    const { ran, result } = await installOn({ platform: 'darwin', uid: 501, commands, installs: /^brew/ })
    expect(result).toEqual(server)
    expect(ran).toEqual(['brew install redis'])
  })

  it('says what failed, and exactly what to install', async () => {
    const { result } = await installOn({ uid: 0, commands: debian, fails: /install/ })
    expect(result).toMatchObject({ code: 'redis_not_installed' })
    expect(String(result)).toContain(
      'apt-get update && apt-get install -y --no-install-recommends redis-tools\nE: env said no',
    )
  })

  it.each([
    ['apk', 'sudo apk add redis'],
    ['dnf', 'sudo dnf install -y redis'],
    ['pacman', 'sudo pacman -S valkey'],
    ['zypper', 'sudo zypper install redis'],
    ['none of them', 'get Redis 6.2 or later'],
  ])('runs nothing where the package manager is %s, and says: %s', async (manager, advice) => {
    const { ran, result } = await installOn({ uid: 1000, commands: [manager] })
    expect(ran).toEqual([])
    expect(String(result)).toContain(advice)
  })

  it('runs nothing under BUSBAR_NO_INSTALL, and says the command', async () => {
    const { ran, said, result } = await installOn({ uid: 0, commands: debian, noInstall: true })
    expect(ran).toEqual([])
    expect(said).toEqual([])
    expect(result).toMatchObject({ code: 'redis_not_installed' })
    expect(String(result)).toContain('apt-get install -y --no-install-recommends redis-tools')
  })
})

describe('busbar start on a machine without a Redis server', () => {
  it('installs nothing, and names the command that would', async () => {
    const noted: string[] = []
    const reporter = {
      statusEveryMs: 1_000,
      note: (line: string) => void noted.push(line),
      ready: () => undefined,
      page: () => undefined,
      status: () => undefined,
      event: () => undefined,
      close: () => undefined,
    }
    const start = startPrivateRedis(new Shutdown(), reporter, () => undefined)
    await expect(start).rejects.toMatchObject({
      code: 'redis_not_installed',
      message: `there is no Redis server on this machine. To install it: ${embedded.installCommand()}`,
    })
    expect(noted).toEqual([])
  })
})
