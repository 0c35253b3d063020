import type { Command } from 'commander'
import { byHand, withByHandOptions, type Cli, type ByHandOptions } from '../common.js'
import { changeByHand } from './control.js'

export function addResume(program: Command, cli: Cli): void {
  const command = program
    .command('resume')
    .description("clear a provider's mark; its probes begin again")
    .argument('<id>', 'the provider')
    .action((id: string, options: ByHandOptions) =>
      changeByHand(cli, id, options, (provider) => provider.resume(byHand(options))),
    )
  withByHandOptions(command, ['busbar resume openai', 'busbar resume openai --reason "maintenance is over"'])
}
