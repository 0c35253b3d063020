import type { Command } from 'commander'
import { steering, withSteering, type Cli, type SteeringOptions } from '../common.js'
import { steer } from './control.js'

export function addResume(program: Command, cli: Cli): void {
  const command = program
    .command('resume')
    .description("clear a provider's mark; its probes begin again")
    .argument('<id>', 'the provider')
    .action((id: string, options: SteeringOptions) =>
      steer(cli, id, options, (provider) => provider.resume(steering(options))),
    )
  withSteering(command, ['busbar resume openai', 'busbar resume openai --reason "maintenance is over"'])
}
