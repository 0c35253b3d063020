import { beforeEach, describe, expect, it } from 'vitest'
import { runCli, spawnCli, type CliResult } from '../harness/cli.js'
import { cliFleet, type CliFleet } from '../harness/cli-fleet.js'
import { startUpstream } from '../harness/http-upstream.js'

/** Most tests run commands in their own process, which is quicker. These hold that it makes no difference. */

/** What changes from one moment to the next. */
const steady = (text: string): string =>
  text
    .replace(/\d\d:\d\d:\d\d(\.\d+Z)?|\b\d{13}\b/g, '<time>')
    .replace(/\d+(\.\d+)?( ?(ms|s|m|MiB))\b/g, '<n>$2')
    .replace(/("openMsTotal": )\d+/, '$1<n>')
    .replace(/^(● ok +clock).*$/m, '$1 <offset>')

const shown = ({ code, stdout, stderr }: CliResult) => ({
  code,
  stdout: steady(stdout),
  stderr: steady(stderr),
})

/** With a provider whose circuit is open for good. */
async function openFleet(): Promise<CliFleet> {
  const fleet = await cliFleet()
  const upstream = await startUpstream()
  const probe = { kind: 'http' as const, url: upstream.url, intervalMs: 3_600_000 }
  const provider = await fleet.busbar.provider('api', { probe })
  await provider.trip({ reason: 'red page', actor: 'alice' })
  fleet.file('providers: { api: { slowMs: 200 } }')
  return fleet
}

describe('a command that is a process of its own', () => {
  let fleet: CliFleet
  beforeEach(async () => {
    fleet = await openFleet()
  })

  it.each<[args: string]>([
    ...[['status'], ['status api --json'], ['explain api'], ['history api'], ['events api']],
    ...[['trip api --actor bob'], ['reset api --actor bob'], ['mark api degraded --actor bob']],
    ...[['resume api --actor bob'], ['apply -f fleet.yaml --dry-run'], ['probe api'], ['doctor']],
    ...[['status apj'], ['status --bogus'], ['mark api purple --json']],
  ] as [string][])('answers what it answers in this one: busbar %s', async (line) => {
    const args = [...line.split(' '), '--redis', fleet.url, '--namespace', fleet.namespace]
    const here = await runCli(args, { cwd: fleet.folder })
    const there = await spawnCli(args, { cwd: fleet.folder })
    expect(shown(there)).toEqual(shown(here))
    expect(here.stdout + here.stderr).not.toBe('')
  })

  it.each(['--version', '--help', 'sttaus', 'trip --help'])('also: busbar %s', async (line) => {
    expect(await spawnCli(line.split(' '))).toEqual({
      ...(await runCli(line.split(' '))),
      tookMs: expect.any(Number) as number,
    })
  })
})
