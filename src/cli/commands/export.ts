import type { Command } from 'commander'
import { maskSecrets, type Provider } from '../../index.js'
import { withCommon, type Cli } from '../common.js'
import { CliError, EXIT } from '../failure.js'
import { findProvider, withFleet, type CommonOptions, type Fleet } from '../fleet.js'
import { clean, plural } from '../../view/format.js'
import { hasMasks } from '../masked-values.js'
import { isPattern, matcherOf } from '../../view/provider-list.js'

interface ExportOptions extends CommonOptions {
  readonly secrets?: boolean
}

export function addExport(program: Command, cli: Cli): void {
  const command = program
    .command('export')
    .description('the settings in force, as a YAML file that "busbar apply" and "busbar start --config" take')
    .argument('[ids...]', "these providers, or patterns such as 'open*'; default: all")
    .option('--secrets', 'write headers, body and credentials of probes in clear; else *** stands for them')
    .action(async (ids: string[], options: ExportOptions) => {
      cli.exitCode = await withFleet(options, (fleet) => write(fleet, ids, options))
    })
  withCommon(command, [
    'busbar export > fleet.yaml',
    "busbar export openai 'agent:*'",
    'busbar export --secrets --redis redis://staging:6379 | busbar apply -f - --redis redis://prod:6379',
  ]).addHelpText(
    'after',
    '\nReferences such as ${env:API_KEY} stay references. Where *** stands for a value, busbar apply keeps the one' +
      '\nthat is in Redis at that place, and refuses *** where there is none.',
  )
}

async function write(fleet: Fleet, ids: readonly string[], options: ExportOptions): Promise<number> {
  const providers = await choose(fleet, ids)
  const { namespace } = fleet.address
  if (providers.length === 0) {
    throw new CliError(
      'provider_unknown',
      EXIT.unknown,
      `no provider is registered in namespace ${namespace}`,
    )
  }
  const secrets = options.secrets === true
  const settings = new Map(
    providers.map((provider) => [provider.id, secrets ? provider.settings : maskSecrets(provider.settings)]),
  )
  // One call of write, so that no half file is left.
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ providers: Object.fromEntries(settings) }, null, 2)}\n`)
  } else process.stdout.write(await toYaml(namespace, providers, settings))
  const hidden = providers.filter((provider) => hasMasks(maskSecrets(provider.settings))).length
  if (hidden > 0 && !secrets) {
    process.stderr.write(
      `busbar: secrets of the probes of ${plural(hidden, 'provider')} are written as ***; --secrets writes them in clear\n`,
    )
  }
  for (const { id, settingsProblems } of providers)
    for (const problem of settingsProblems)
      process.stderr.write(`busbar: ${id}: not written, because it cannot be read: ${clean(problem)}\n`)
  return EXIT.ok
}

/** The providers named, in the order of registration. @throws CliError for one that is not registered. */
async function choose(fleet: Fleet, ids: readonly string[]): Promise<Provider[]> {
  const { busbar } = fleet
  const wanted = ids.map(matcherOf)
  const known = (await busbar.providers()).filter((id) => ids.length === 0 || wanted.some((is) => is(id)))
  for (const id of ids) {
    if (!isPattern(id)) await findProvider(fleet, id)
    else if (!known.some(matcherOf(id))) {
      const message = `no provider in namespace ${fleet.address.namespace} matches ${clean(id)}`
      throw new CliError('provider_unknown', EXIT.unknown, message)
    }
  }
  const found: Provider[] = []
  for (const id of known) {
    const provider = await busbar.lookup(id)
    if (provider !== undefined) found.push(provider) // else it was removed since it was listed
  }
  return found
}

async function toYaml(
  namespace: string,
  providers: readonly Provider[],
  settings: ReadonlyMap<string, unknown>,
): Promise<string> {
  const { Document, isMap, isScalar } = await import('yaml')
  const document = new Document({ providers: settings }, { schema: 'core', aliasDuplicateObjects: false })
  document.commentBefore = ` Settings in force in namespace ${namespace}. busbar apply -f <this file> sets them by hand.`
  const map = document.get('providers')
  const origins = new Map(providers.map(({ id, settingsOrigin }) => [id, settingsOrigin]))
  for (const pair of isMap(map) ? map.items : []) {
    if (!isScalar(pair.key)) continue
    const origin = origins.get(String(pair.key.value))
    if (origin !== undefined) {
      pair.key.commentBefore = ` ${origin.pinned ? 'applied' : 'set'} by ${clean(origin.setBy)}`
    }
  }
  return document.toString({ lineWidth: 0 })
}
