import { Argument, type Command } from 'commander'
import { MARKS, type Mark, type Provider } from '../../index.js'
import { timedByHand, withDuration, withByHandOptions, type Cli, type ByHandOptions } from '../common.js'
import { changeByHand } from './control.js'

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
    .action((id: string, mark: Mark, options: ByHandOptions) =>
      changeByHand(cli, id, options, (provider) => apply(provider, mark, timedByHand(options))),
    )
  withDuration(command, 'until the mark ends by itself, such as 30s or 5m; default: until resumed')
  withByHandOptions(command, [
    'busbar mark openai unhealthy --reason maintenance --for 30m',
    'busbar mark openai degraded',
    'busbar mark old-api terminated --reason "replaced by new-api"',
  ])
}

function apply(provider: Provider, mark: Mark, options: ReturnType<typeof timedByHand>): Promise<void> {
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
