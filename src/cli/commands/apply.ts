import type { Command } from 'commander'
import type { SettingsInput, SettingsPlan } from '../../index.js'
import { withByHandOptions, writeJson, writeLine, type Cli, type ByHandOptions } from '../common.js'
import { confirm } from '../confirm.js'
import { inFile, readConfigFile, type ConfigFile } from '../config-file.js'
import { EXIT, wrongCall } from '../failure.js'
import { findProvider, withFleet, type Fleet } from '../fleet.js'
import { hideSecrets } from '../../view/format.js'
import { hasMasks, unmask } from '../masked-values.js'
import { paintsFor } from '../../view/paint.js'
import { planLines } from '../../view/settings-changes.js'

interface ApplyOptions extends ByHandOptions {
  readonly file?: string
  readonly release?: true | readonly string[]
  readonly dryRun?: boolean
  readonly yes?: boolean
}

export function addApply(program: Command, cli: Cli): void {
  const command = program
    .command('apply')
    .description('settings from a YAML file, for the whole fleet: they outrank code until they are released')
    .option('-f, --file <file>', 'the file; - is standard input')
    .option('--release [ids...]', 'instead: let code set the settings of these providers again, or of all')
    .option('--dry-run', 'only show what would change')
    .option('-y, --yes', 'do not ask')
    .action(async (options: ApplyOptions) => {
      const { file, release } = options
      if ((file === undefined) === (release === undefined)) {
        throw wrongCall('apply: give either --file <file> or --release [id...]')
      }
      cli.exitCode = file === undefined ? await releaseThem(options) : await applyFile(file, options)
    })
  withByHandOptions(command, [
    'busbar apply -f fleet.yaml --dry-run',
    'busbar apply -f fleet.yaml --yes --reason "a busy week"',
    'generate-settings | busbar apply -f - --yes',
    'busbar apply --release openai',
  ]).addHelpText(
    'after',
    '\nThe file is that of "busbar start --config": providers: { <id>: <settings> }, and defaults for all of them.' +
      '\nSettings replace those in force as a whole: what the file leaves out takes its default.' +
      '\nA header such as "Bearer ${env:API_KEY}" is stored so; whichever process probes reads its own environment.' +
      '\nA time in ms may be written as 500ms, 30s, 5m, 1h or 1d. *** stands for a secret that stays as it is in Redis.',
  )
}

interface Work {
  readonly doing: 'apply' | 'release'
  /** The providers to act on. */
  readonly ids: readonly string[]
  /** The plans for `--json`, of all providers that were named. */
  readonly plans: readonly object[]
}

async function applyFile(file: string, options: ApplyOptions): Promise<number> {
  const config = readConfigFile(file)
  const planAndApply = async (fleet: Fleet): Promise<number> => {
    checkAddress(config, fleet)
    const { busbar } = fleet
    const plans: { plan: SettingsPlan; settings: SettingsInput }[] = []
    for (const [id, given] of config.providers) {
      const settings = await withStoredSecrets(fleet, id, given, config)
      const plan = await busbar.plan(id, settings).catch(inFile(config, `providers.${id}.`))
      plans.push({ plan, settings })
    }
    const wanted = plans.filter(({ plan }) => !plan.pinned || plan.changes.length > 0)
    if (options.json !== true) writePlans(plans.map(({ plan }) => plan))
    const ids = wanted.map(({ plan }) => plan.id)
    const work = { doing: 'apply', ids, plans: plans.map(({ plan }) => plan) } as const
    return carryOut(work, options, async (id) => {
      const settings = wanted.find(({ plan }) => plan.id === id)?.settings ?? {}
      await busbar.apply(id, settings, byHandOf(options))
    })
  }
  return withFleet(options, planAndApply, config.defaults).catch((error: unknown) => {
    if (error instanceof Error && error.message.startsWith('defaults')) return inFile(config)(error)
    throw error
  })
}

/** Replaces each `***` of `busbar export` by the stored value. */
async function withStoredSecrets(
  { busbar }: Fleet,
  id: string,
  given: SettingsInput,
  config: ConfigFile,
): Promise<SettingsInput> {
  if (!hasMasks(given)) return given
  const stored = await busbar.lookup(id).catch(inFile(config, `providers.${id}.`))
  return unmask(given, stored?.settings, `${config.name}: providers.${id}`)
}

/** Refuses a file that names another fleet: its settings must not reach this one. */
function checkAddress({ name, redis, namespace }: ConfigFile, { address }: Fleet): void {
  if (namespace !== undefined && namespace !== address.namespace) {
    throw wrongCall(
      `${name}: namespace: the file is for ${namespace}, and this goes to ${address.namespace}; check --namespace`,
    )
  }
  if (redis !== undefined && redis !== address.redis) {
    const [theirs, ours] = [hideSecrets(redis), hideSecrets(address.redis)]
    throw wrongCall(`${name}: redis: the file is for ${theirs}, and this goes to ${ours}; check --redis`)
  }
}

async function releaseThem(options: ApplyOptions): Promise<number> {
  return withFleet(options, async (fleet) => {
    const { busbar } = fleet
    const named = Array.isArray(options.release) ? (options.release as readonly string[]) : []
    const pinned: string[] = []
    for (const id of named.length > 0 ? named : await busbar.providers()) {
      const provider = await findProvider(fleet, id)
      const { setBy, pinned: applied } = provider.settingsOrigin
      if (applied) pinned.push(id)
      if (options.json === true || (named.length === 0 && !applied)) continue
      writeLine(applied ? `${id}: release the settings that ${setBy} applied` : `${id}: nothing was applied`)
    }
    const work = { doing: 'release', ids: pinned, plans: pinned.map((id) => ({ id })) } as const
    return carryOut(work, options, async (id) => {
      await busbar.release(id, byHandOf(options))
    })
  })
}

/** Asks, unless `--yes` was given. Then changes one provider after the other, and prints each that is done. */
async function carryOut(
  { doing, ids, plans }: Work,
  options: ApplyOptions,
  act: (id: string) => Promise<void>,
): Promise<number> {
  const json = options.json === true
  const answer = (done: readonly string[]) => {
    if (json) writeJson({ [doing]: plans, done })
    return EXIT.ok
  }
  if (ids.length === 0) {
    if (!json) writeLine(`nothing to ${doing === 'apply' ? 'change' : 'release'}`)
    return answer([])
  }
  if (options.dryRun === true) return answer([])
  if (options.yes !== true && !(await confirm(`${doing === 'apply' ? 'Apply' : 'Release'} this?`))) {
    writeLine('nothing was changed')
    return EXIT.ok
  }
  for (const id of ids) {
    await act(id)
    if (!json)
      writeLine(doing === 'apply' ? `applied ${id}` : `released ${id}: the next registration from code wins`)
  }
  if (!json && doing === 'apply') writeLine('These outrank code until: busbar apply --release')
  return answer(ids)
}

function writePlans(plans: readonly SettingsPlan[]): void {
  const paints = paintsFor(process.stdout)
  for (const plan of plans) for (const line of planLines(plan, paints)) writeLine(line)
}

const byHandOf = ({ reason, actor }: ApplyOptions) => (reason === undefined ? { actor } : { reason, actor })
