import type { Command } from 'commander'
import { withCommon, type Cli } from '../common.js'
import { withFleet, type CommonOptions } from '../fleet.js'
import { withSelection } from '../selection.js'
import { Shutdown } from '../start/shutdown.js'
import { chooseScreen } from '../watch/choose-screen.js'
import { watchFleet } from '../watch/watch-fleet.js'

interface WatchCommandOptions extends CommonOptions {
  readonly unhealthy?: boolean
}

export function addWatch(program: Command, cli: Cli): void {
  const command = program
    .command('watch')
    .description('the status of every provider, drawn again as it changes, until q or Ctrl-C')
    .argument('[id]', "one provider, or a pattern for several, such as 'open*'")
    .action(async (pattern: string | undefined, options: WatchCommandOptions) => {
      const { unhealthy } = options
      const shutdown = new Shutdown()
      cli.exitCode = await withFleet(options, ({ busbar, address }) => {
        const screen = chooseScreen(address, options.json === true, () => shutdown.begin())
        shutdown.onEnd(() => screen.close())
        return shutdown.run(() => watchFleet({ busbar, selection: { pattern, unhealthy }, screen, shutdown }))
      })
    })
  withCommon(withSelection(command), [
    'busbar watch',
    "busbar watch 'open*' --unhealthy",
    'busbar watch --json | jq -c .providers[].health',
  ]).addHelpText(
    'after',
    '\nKeys: up and down, page up and down, home and end scroll; / filters by a part of the id; q ends it.' +
      '\nNot on a terminal it prints a table per change; with --json an object a line per change.',
  )
}
