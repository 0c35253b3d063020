import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { cliFleet, interrupt, type CliFleet } from '../harness/cli-fleet.js'
import { eventually } from '../harness/eventually.mjs'
import { startUpstream } from '../harness/http-upstream.js'
import { documented } from '../harness/transcript.js'

const PAGE = 'docs/cli.md'
const DOCUMENTED_URL = 'https://api.example.com/health'

/** The same text for every run: times, sizes and measurements are named instead. */
const steady = (text: string): string =>
  text
    .replace(/\b\d\d:\d\d:\d\d\b/g, '<time>')
    .replace(/\b\d+(\.\d+)?(ms|s)( ago|\))/g, '<while>$3')
    .replace(/ in (about )?(29|30)(\.\d)?s/g, ' in <cooldown>')
    .replace(/\b\d+(\.\d+)? (ms|MiB)\b/g, '<n> $2')
    .replace(/\b\d+(\.\d+)?(ms|s) (ahead of|behind) this host|the same as here/g, '<offset>')
    .replace(/(redis version +)\S+/, '$1<version>')

const expectDocumented = (name: string, actual: string) =>
  expect(steady(documented(PAGE, name, actual))).toBe(steady(actual))

/** What a person sees who types these. */
async function transcript(fleet: CliFleet, calls: readonly string[], env = {}): Promise<string> {
  const shown: string[] = []
  for (const call of calls) {
    const { stdout, stderr } = await fleet.run(call.split(' '), { env })
    shown.push(`$ npx busbar ${call}\n${(stdout + stderr).trimEnd()}`)
  }
  return shown.join('\n\n')
}

test('docs/cli.md shows what the commands print', { timeout: 60_000 }, async ({ onTestFinished }) => {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const upstream = await startUpstream()
  const fleet = await cliFleet(server.url)
  const openai = await fleet.busbar.provider('openai', { breaker: { cooldownMs: 30_000 } })
  const settings = [
    'providers:',
    '  openai:',
    '    breaker: { cooldownMs: 60000 }',
    '    probe:',
    '      kind: http',
    `      url: ${upstream.url}`,
    '      headers: { authorization: "Bearer ${env:OPENAI_KEY}" }',
  ]
  writeFileSync(join(fleet.folder, 'fleet.yaml'), settings.join('\n'))
  const asDocumented = (text: string) => text.replaceAll(upstream.url, DOCUMENTED_URL)

  const applied = await transcript(fleet, [
    'apply -f fleet.yaml --dry-run',
    'apply -f fleet.yaml --yes --actor alice',
    'apply -f fleet.yaml --yes',
  ])
  expectDocumented('apply', asDocumented(`$ cat fleet.yaml\n${settings.join('\n')}\n\n${applied}`))

  const probes = [
    await transcript(fleet, ['probe openai']),
    (await transcript(fleet, ['probe openai'], { OPENAI_KEY: 'secret' })).replace(
      '$ npx',
      '$ OPENAI_KEY=... npx',
    ),
  ]
  await openai.markUnhealthy({ reason: 'maintenance' })
  probes.push(await transcript(fleet, ['probe openai']))
  expectDocumented('probe', probes.join('\n\n'))
  await openai.resume()

  const doctor = await transcript(fleet, ['doctor'])
  expectDocumented('doctor', doctor)

  const failing = { classify: () => ({ outcome: 'unhealthy', detail: 'HTTP 503' }) as const }
  const payments = await fleet.busbar.provider('payments', {}, failing)
  for (let call = 0; call < 3; call += 1) await payments.execute(() => undefined)
  await payments.reset({ reason: 'fixed', actor: 'alice' })
  for (let call = 0; call < 3; call += 1) await payments.execute(() => undefined)
  expectDocumented('explain', await transcript(fleet, ['explain payments']))

  const following = fleet.start('events', 'openai', '-f', '--count', '1')
  await following.said(/openai/)
  await openai.trip({ reason: 'their status page is red', actor: 'alice', forMs: 300_000 })
  await openai.reset({ reason: 'fixed', actor: 'alice' })
  await following.said(/fixed/)
  await eventually(() => following.output().split('\n').length === 4)
  expect(await interrupt(following)).toBe(0)
  expectDocumented('events', `$ npx busbar events openai -f --count 1\n${following.output().trimEnd()}`)
})
