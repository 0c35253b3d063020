import type { Command } from 'commander'
import { timedSteering, withDuration, withSteering, type Cli, type SteeringOptions } from '../common.js'
import { steer } from './control.js'

export function addTrip(program: Command, cli: Cli): void {
  const command = program
    .command('trip')
    .description("open a provider's circuit by hand")
    .argument('<id>', 'the provider')
    .action((id: string, options: SteeringOptions) =>
      steer(cli, id, options, (provider) => provider.trip(timedSteering(options))),
    )
  withDuration(command, 'until trials begin, such as 30s or 5m; default: until somebody resets it')
  withSteering(command, [
    'busbar trip openai --reason "their status page is red" --for 5m',
    'busbar trip openai --actor alice',
  ])
}
