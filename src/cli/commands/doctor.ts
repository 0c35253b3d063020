import type { Command } from 'commander'
import { isBusbarError, type Busbar, type ProviderEvent } from '../../index.js'
import { withCommon, writeJson, writeLine, type Cli } from '../common.js'
import { checkAlternation, type Past } from '../doctor/alternation.js'
import { checkDomains } from '../doctor/domains.js'
import { finding, worst, type Finding, type Level } from '../doctor/finding.js'
import { checkFleet } from '../doctor/fleet.js'
import { checkJudgement } from '../doctor/judgement.js'
import { checkKeys, checkUnreadable } from '../doctor/keys.js'
import { checkServer } from '../doctor/server.js'
import { EXIT } from '../failure.js'
import { withFleet, type CommonOptions } from '../fleet.js'
import { readEvents } from '../follow-events.js'
import { clean, wrap } from '../../view/format.js'
import { paintsFor, type Paints } from '../../view/paint.js'
import { readAll, type ProviderView, type ReadAll } from '../../view/provider-view.js'

export function addDoctor(program: Command, cli: Cli): void {
  const command = program
    .command('doctor')
    .description('check Redis, the keys, the probes and the processes, with advice for each finding')
    .action(async (options: CommonOptions) => {
      const findings = await examine(options)
      const level = worst(findings)
      if (options.json === true) writeJson({ level, findings })
      else writeFindings(findings)
      cli.exitCode = EXIT_OF[level]
    })
  withCommon(command, ['busbar doctor', 'busbar doctor --json | jq .level']).addHelpText(
    'after',
    '\nExit code: 0 nothing above a note, 1 a warning, 2 a failure, 3 Redis unreachable',
  )
}

const NONE_READ: ReadAll = { views: [], unreadable: [] }

const EXIT_OF: Readonly<Record<Level, number>> = { ok: 0, note: 0, warn: EXIT.degraded, fail: EXIT.unhealthy }

async function examine(options: CommonOptions): Promise<Finding[]> {
  try {
    return await withFleet(options, async ({ busbar }) => {
      const facts = await busbar.inspect()
      const findings = checkKeys(facts)
      // Without the list of providers there are no ids to read by.
      const listed = facts.wrongTypes?.every(({ key }) => key !== `${busbar.namespace}:providers`) ?? true
      const { views, unreadable } = listed ? await readAll(busbar) : NONE_READ
      return [
        ...checkServer(facts),
        ...findings,
        ...checkUnreadable(unreadable, facts),
        ...checkFleet(facts, views),
        ...checkJudgement(facts, views),
        ...checkDomains(facts, views),
        ...checkAlternation(await readPasts(busbar, views)),
      ]
    })
  } catch (error) {
    return [insteadOfConnecting(error)]
  }
}

/** Changes of settings in turn are announced once a minute, between other events. */
const EVENTS_READ = 100

async function readPasts(busbar: Busbar, views: readonly ProviderView[]): Promise<Past[]> {
  const ids = views.map(({ snapshot }) => snapshot.id)
  const events = new Map<string, ProviderEvent[]>(ids.map((id) => [id, []]))
  for (const event of await readEvents(busbar, ids, EVENTS_READ)) events.get(event.providerId)?.push(event)
  return views.map(({ snapshot: { id, at } }) => ({ id, nowMs: at, events: events.get(id) ?? [] }))
}

/** The finding for a connection that Redis refuses. @throws any other error, an outage included */
function insteadOfConnecting(error: unknown): Finding {
  if (isBusbarError(error, 'redis_unsupported')) {
    return error.message.includes('schema')
      ? finding('fail', 'schema', clean(error.message), 'Use the version of Busbar that wrote it.')
      : finding('fail', 'redis version', error.message, 'Use Redis 6.2 or later, or Valkey.')
  }
  const said = error instanceof Error ? error.message : ''
  if (said.includes('NOPERM'))
    return finding(
      'fail',
      'permissions',
      clean(said),
      'ACL SETUSER: this user needs the keys and channels of the namespace, and EVALSHA, SCRIPT, INFO, TIME.',
    )
  throw error
}

const INDENT = 22
const SHAPES: Readonly<Record<Level, string>> = { ok: '●', note: '○', warn: '▲', fail: '✖' }

function writeFindings(findings: readonly Finding[]): void {
  const paints = paintsFor(process.stdout)
  const width = (process.stdout.columns || Infinity) - INDENT - 1
  for (const { check, level, found, advice } of findings) {
    const head = `${paintLevel(paints, level, `${SHAPES[level]} ${level.padEnd(4)}`)} ${paints.bold(check.padEnd(INDENT - 8))} `
    const lines = [
      ...wrap(found, width),
      ...(advice === '' ? [] : wrap(`-> ${advice}`, width).map(paints.dim)),
    ]
    lines.forEach((line, at) => writeLine(`${at === 0 ? head : ' '.repeat(INDENT)}${line}`))
  }
}

function paintLevel(paints: Paints, level: Level, text: string): string {
  switch (level) {
    case 'ok':
      return paints.green(text)
    case 'note':
      return paints.dim(text)
    case 'warn':
      return paints.yellow(text)
    case 'fail':
      return paints.red(text)
    default:
      return level satisfies never
  }
}
