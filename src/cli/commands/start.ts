import type { Command } from 'commander'
import { withCommon, type Cli } from '../common.js'
import { wrongCall } from '../failure.js'
import type { CommonOptions } from '../fleet.js'
import { coordinate } from '../start/coordinate.js'
import { Shutdown } from '../start/shutdown.js'
import { chooseReporter } from '../start/choose-reporter.js'
import { runSample } from '../start/sample.js'

interface StartOptions extends CommonOptions {
  readonly config?: string
}

export function addStart(program: Command, cli: Cli): void {
  const command = program
    .command('start')
    .description('the sample job: a private Redis, three upstreams, four workers; or your own providers')
    .option(
      '--config <file>',
      'register the providers of this YAML file and run their probes, instead of the sample',
    )
    .action(async (options: StartOptions) => {
      const { config, redis, namespace, json } = options
      if (config === undefined && (redis !== undefined || namespace !== undefined)) {
        throw wrongCall(
          'the sample job has a Redis of its own: --redis and --namespace go with --config <file>',
        )
      }
      const shutdown = new Shutdown()
      const reporter = chooseReporter(json === true)
      shutdown.onEnd(() => reporter.close())
      cli.exitCode = await shutdown.run(() =>
        config === undefined
          ? runSample(shutdown, reporter)
          : coordinate(shutdown, reporter, { file: config, redis, namespace }),
      )
    })
  withCommon(command, [
    'busbar start',
    'busbar start --config busbar.yaml',
    'busbar start --config busbar.yaml --redis redis://127.0.0.1:6379 --namespace prod',
  ]).addHelpText(
    'after',
    '\nWith --config, Redis is --redis, else BUSBAR_REDIS, else REDIS_URL, else the one in the file, else a private one.' +
      '\nProbes of the kinds process and function are code, which only your own workers can run: they are refused.' +
      '\nRuns until Ctrl-C. While it runs, other commands find it in this folder by .busbar/url.',
  )
}
