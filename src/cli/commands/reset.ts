import type { Command } from 'commander'
import { steering, withSteering, type Cli, type SteeringOptions } from '../common.js'
import { steer } from './control.js'

export function addReset(program: Command, cli: Cli): void {
  const command = program
    .command('reset')
    .description("close a provider's circuit and set its counters to 0; marks stay")
    .argument('<id>', 'the provider')
    .action((id: string, options: SteeringOptions) =>
      steer(cli, id, options, (provider) => provider.reset(steering(options))),
    )
  withSteering(command, ['busbar reset openai', 'busbar reset openai --reason "fixed by a new key"'])
}
