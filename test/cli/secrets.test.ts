import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../../src/embedded/port.js'
import { startRedis, type EmbeddedRedis } from '../../src/embedded/index.js'
import type { ProbeInput } from '../../src/index.js'
import { cliFleet } from '../harness/cli-fleet.js'
import { runCli } from '../harness/cli.js'
import { Leaks } from '../harness/leaks.js'

const RIGHT = 'r1ght-pa55-0f-redis'
const WRONG = 'wr0ng-pa55-0f-redis'
const WRONG_USER = 'n0-such-user'
const SENTINEL = 'pa55-of-the-sentinels'
const HEADER = 'header-va1ue-5ecret'
const OTHER_HEADER = 'other-header-va1ue-5ecret'
const QUERY = 'query-t0ken-5ecret'
const SECRETS = [RIGHT, WRONG, WRONG_USER, SENTINEL, HEADER, OTHER_HEADER, QUERY]

let server: EmbeddedRedis

beforeAll(async () => {
  server = await startRedis({ args: ['--requirepass', RIGHT] })
})

afterAll(() => server.stop())

const probe = (value: string): ProbeInput => ({
  kind: 'http',
  url: `http://127.0.0.1:1/health?api_key=${QUERY}`,
  headers: { authorization: `Bearer ${value}` },
  intervalMs: 60_000,
})

test('no command shows a header, a token in a URL or the password of the address', async () => {
  const fleet = await cliFleet(server.url.replace('redis://', `redis://:${RIGHT}@`))
  await fleet.busbar.provider('api', { probe: probe(HEADER) })
  await fleet.busbar.provider('api', { probe: probe(OTHER_HEADER) })
  const leaks = new Leaks()
  const config = JSON.stringify({ providers: { api: { probe: probe(HEADER) } } })
  const commands = [
    ['status', 'api'],
    ['status', 'api', '--json'],
    ['explain', 'api'],
    ['events', 'api'],
    ['events', '--json'],
    ['doctor', '--json'],
    ['probe', 'api', '--json'],
    ['status', 'no-such-provider'],
    ['apply', '-f', fleet.file(config)],
    ['apply', '-f', fleet.file(config), '--json'],
    ['apply', '-f', fleet.file(config), '--yes'],
    ['apply', '-f', fleet.file(JSON.stringify({ redis: `redis://:${WRONG}@h`, providers: { api: {} } }))],
    ['apply', '-f', fleet.file(JSON.stringify({ redis: [`redis://:${WRONG}@h`], providers: { api: {} } }))],
    ['apply', '-f', fleet.file(JSON.stringify({ providers: { api: { probe: { password: WRONG } } } }))],
    ['apply', '-f', fleet.file(`providers: { api: { probe: { headers: { a: "${HEADER} } } } }`)],
    ['events', 'api'],
  ]
  for (const command of commands) {
    const { stdout, stderr } = await fleet.run(command)
    leaks.add(command.join(' '), `${stdout}${stderr}`)
  }
  expect(leaks.says('settings_changed')).toBe(true)
  expect(leaks.of(SECRETS)).toEqual([])
}, 180_000)

test('an address that does not answer, or refuses, is named without what is secret in it', async () => {
  const closed = await freePort()
  const { port } = server
  const leaks = new Leaks()
  for (const redis of [
    `redis://${WRONG_USER}:${WRONG}@127.0.0.1:${port}`,
    `redis://127.0.0.1:${port}?password=${WRONG}`,
    `redis://${WRONG_USER}:${WRONG}@x@127.0.0.1:${closed}`,
    `redis+cluster://${WRONG_USER}:${WRONG}@127.0.0.1:${closed},127.0.0.1:${closed}`,
    `redis+sentinel://:${WRONG}@127.0.0.1:${closed}/m?sentinelPassword=${SENTINEL}`,
    `redis+sentinel://:${WRONG}@127.0.0.1:${closed}/m?sentinelPasswrd=${SENTINEL}`,
    `http://:${WRONG}@127.0.0.1`,
  ]) {
    const { code, stdout, stderr } = await runCli(['status', '--json', '--redis', redis])
    expect(code).not.toBe(0)
    expect(stderr).not.toBe('')
    leaks.add('status', `${stdout}${stderr}`)
  }
  expect(leaks.of(SECRETS)).toEqual([])
}, 180_000)

test('a started fleet says where it is without the password, which only the owner’s file holds', async () => {
  const fleet = await cliFleet(server.url.replace('redis://', `redis://:${RIGHT}@`))
  const config = fleet.file('providers: { api: {} }', 'busbar.yaml')
  const started = fleet.start('start', '--config', config)
  await started.said(/^ready redis=redis:\/\/\*\*\*@127\.0\.0\.1:\d+ namespace=/m, 20_000)
  const leaks = new Leaks()
  leaks.add('start', started.output())
  expect(statSync(join(fleet.folder, '.busbar', 'url')).mode & 0o777).toBe(0o600)
  expect(leaks.of(SECRETS)).toEqual([])
}, 180_000)
