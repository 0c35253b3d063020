import { Argument, type Command } from 'commander'
import { MARKS, type Mark, type Provider } from '../../index.js'
import { timedSteering, withDuration, withSteering, type Cli, type SteeringOptions } from '../common.js'
import { steer } from './control.js'

export function addMark(program: Command, cli: Cli): void {
  const command = program
    .command('mark')
    .description("set a provider's status by hand; it overrides observation")
    .argument('<id>', 'the provider')
    .addArgument(
      new Argument('<mark>', 'degraded lets calls go on; the others refuse them and end the probes').choices(
        MARKS,
      ),
    )
    .action((id: string, mark: Mark, options: SteeringOptions) =>
      steer(cli, id, options, (provider) => apply(provider, mark, timedSteering(options))),
    )
  withDuration(command, 'until the mark ends by itself, such as 30s or 5m; default: until resumed')
  withSteering(command, [
    'busbar mark openai unhealthy --reason maintenance --for 30m',
    'busbar mark openai degraded',
    'busbar mark old-api terminated --reason "replaced by new-api"',
  ])
}

function apply(provider: Provider, mark: Mark, options: ReturnType<typeof timedSteering>): Promise<void> {
  switch (mark) {
    case 'unhealthy':
      return provider.markUnhealthy(options)
    case 'degraded':
      return provider.markDegraded(options)
    case 'terminated':
      return provider.markTerminated(options)
    default:
      return mark satisfies never
  }
}
