import type { Command } from 'commander'
import { byHand, withByHandOptions, writeJson, writeLine, type Cli, type ByHandOptions } from '../common.js'
import { confirm } from '../confirm.js'
import { EXIT } from '../failure.js'
import { findProvider, withFleet } from '../fleet.js'
import { paintHealth, paintsFor } from '../../view/paint.js'

interface RemoveOptions extends ByHandOptions {
  readonly dryRun?: boolean
  readonly yes?: boolean
}

export function addRemove(program: Command, cli: Cli): void {
  const command = program
    .command('remove')
    .description('forget a provider in the whole fleet: its circuit, history, marks, events and settings')
    .argument('<id>', 'the provider')
    .option('--dry-run', 'only show what would be removed')
    .option('-y, --yes', 'do not ask')
    .action(async (id: string, options: RemoveOptions) => {
      cli.exitCode = await remove(id, options)
    })
  withByHandOptions(command, [
    'busbar remove old-api --dry-run',
    'busbar remove old-api --yes --reason "replaced by new-api"',
  ]).addHelpText(
    'after',
    '\nHandles of it in workers answer provider_removed. A process that registers it again begins with a new provider.' +
      '\nTo keep its settings: busbar export <id> > kept.yaml',
  )
}

function remove(id: string, options: RemoveOptions): Promise<number> {
  return withFleet(options, async (fleet) => {
    const json = options.json === true
    const provider = await findProvider(fleet, id)
    const { health, historyTotal } = await provider.snapshot()
    const answer = (done: boolean) => {
      if (json) writeJson({ remove: [{ id, health, historyTotal }], done: done ? [id] : [] })
      return EXIT.ok
    }
    if (!json) {
      const paints = paintsFor(process.stdout)
      const by = `settings by ${provider.settingsOrigin.setBy}`
      writeLine(`${paints.bold(id)}: ${paintHealth(paints, health)}, ${historyTotal} records, ${by}`)
    }
    if (options.dryRun === true) return answer(false)
    if (options.yes !== true && !(await confirm(`Remove ${id} from the whole fleet?`))) {
      writeLine('nothing was changed')
      return EXIT.ok
    }
    await fleet.busbar.remove(id, byHand(options))
    if (!json) writeLine(`removed ${id}`)
    return answer(true)
  })
}
