import type { Command } from 'commander'
import { byHand, withByHandOptions, type Cli, type ByHandOptions } from '../common.js'
import { changeByHand } from './control.js'

export function addReset(program: Command, cli: Cli): void {
  const command = program
    .command('reset')
    .description("close a provider's circuit and set its counters to 0; marks stay")
    .argument('<id>', 'the provider')
    .action((id: string, options: ByHandOptions) =>
      changeByHand(cli, id, options, (provider) => provider.reset(byHand(options))),
    )
  withByHandOptions(command, ['busbar reset openai', 'busbar reset openai --reason "fixed by a new key"'])
}
