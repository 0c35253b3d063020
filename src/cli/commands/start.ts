import type { Command } from 'commander'
import { withCommon, type Cli } from '../common.js'
import { parsePort } from '../duration.js'
import { wrongCall } from '../failure.js'
import type { CommonOptions } from '../fleet.js'
import { coordinate } from '../start/coordinate.js'
import { Shutdown } from '../start/shutdown.js'
import { chooseReporter } from '../start/choose-reporter.js'
import { runSample } from '../start/sample.js'
import { USUAL_PORT } from '../ui/listen.js'

interface StartOptions extends CommonOptions {
  readonly config?: string
  readonly port?: number
  readonly host?: string
}

export function addStart(program: Command, cli: Cli): void {
  const command = program
    .command('start')
    .description('the sample job: a private Redis, three upstreams, four workers; or your own providers')
    .option(
      '--config <file>',
      'register the providers of this YAML file and run their probes, instead of the sample',
    )
    .option(
      '--port <n>',
      `serve the page there, or on the next free port; default of the sample ${USUAL_PORT}`,
      parsePort,
    )
    .option(
      '--host <address>',
      'the address of the page; any but loopback needs BUSBAR_TOKEN, or one is made',
    )
    .action(async (options: StartOptions) => {
      cli.exitCode = await start(options)
    })
  withCommon(command, [
    'busbar start',
    'busbar start --config busbar.yaml',
    'busbar start --config busbar.yaml --port 8379',
    'busbar start --config busbar.yaml --redis redis://127.0.0.1:6379 --namespace prod',
  ]).addHelpText(
    'after',
    '\nWith --config, Redis is --redis, else BUSBAR_REDIS, else REDIS_URL, else the one in the file, else a private one.' +
      '\nProbes of the kinds process and function are code, which only your own workers can run: they are refused.' +
      '\nRuns until Ctrl-C. While it runs, other commands find it in this folder by .busbar/url.',
  )
}

async function start({ config, redis, namespace, json, port, host }: StartOptions): Promise<number> {
  if (config === undefined && (redis !== undefined || namespace !== undefined)) {
    throw wrongCall('the sample job has a Redis of its own: --redis and --namespace go with --config <file>')
  }
  const shutdown = new Shutdown()
  const reporter = chooseReporter(json === true)
  shutdown.onEnd(() => reporter.close())
  const ui = { port, host }
  // A coordinator opens a port only where it is asked to.
  const wanted = port === undefined && host === undefined ? undefined : ui
  return shutdown.run(() =>
    config === undefined
      ? runSample(shutdown, reporter, ui)
      : coordinate(shutdown, reporter, { file: config, redis, namespace, ui: wanted }),
  )
}
