import type { Command } from 'commander'
import { withCommon, type Cli } from '../common.js'
import { withFleet, type CommonOptions } from '../fleet.js'
import { Lifetime } from '../start/lifetime.js'
import { chooseScreen } from '../watch/choose-screen.js'
import { watchFleet } from '../watch/watch-fleet.js'

export function addWatch(program: Command, cli: Cli): void {
  const command = program
    .command('watch')
    .description('the status of every provider, drawn again as it changes, until Ctrl-C')
    .action(async (options: CommonOptions) => {
      const lifetime = new Lifetime()
      cli.exitCode = await withFleet(options, ({ busbar, address }) => {
        const screen = chooseScreen(address, options.json === true)
        lifetime.onEnd(() => screen.close())
        return lifetime.run(() => watchFleet(busbar, screen, lifetime))
      })
    })
  withCommon(command, ['busbar watch', 'busbar watch --json | jq -c .providers[].health']).addHelpText(
    'after',
    '\nNot on a terminal it prints a table per change; with --json an object a line per change.',
  )
}
