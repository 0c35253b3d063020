import type { Command } from 'commander'
import { timedByHand, withDuration, withByHandOptions, type Cli, type ByHandOptions } from '../common.js'
import { changeByHand } from './control.js'

export function addTrip(program: Command, cli: Cli): void {
  const command = program
    .command('trip')
    .description("open a provider's circuit by hand")
    .argument('<id>', 'the provider')
    .action((id: string, options: ByHandOptions) =>
      changeByHand(cli, id, options, (provider) => provider.trip(timedByHand(options))),
    )
  withDuration(command, 'until trials begin, such as 30s or 5m; default: until somebody resets it')
  withByHandOptions(command, [
    'busbar trip openai --reason "their status page is red" --for 5m',
    'busbar trip openai --actor alice',
  ])
}
