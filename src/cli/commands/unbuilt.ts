import type { Command } from 'commander'
import { wrongCall } from '../failure.js'

const UNBUILT = ['probe', 'apply', 'doctor', 'watch']

/** Commands that are planned: refused by name, so that nobody takes them for a typing mistake. */
export function addUnbuilt(program: Command): void {
  for (const name of UNBUILT) {
    program
      .command(name, { hidden: true })
      .description('not in this version')
      .helpOption(false)
      .allowUnknownOption()
      .allowExcessArguments()
      .action(() => {
        throw wrongCall(`${name}: not in this version; busbar --help shows what is`)
      })
  }
}
