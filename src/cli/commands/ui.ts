import type { Command } from 'commander'
import { connect, type Logger } from '../../index.js'
import { hideSecrets } from '../../view/format.js'
import { withCommon, writeLine, type Cli } from '../common.js'
import { parsePort } from '../duration.js'
import { COMMAND_WITHIN_MS, findFleet, unreachable, workerId, type CommonOptions } from '../fleet.js'
import { Shutdown } from '../start/shutdown.js'
import { USUAL_PORT } from '../ui/listen.js'
import { openBrowser } from '../ui/open-browser.js'
import type { UiOptions } from '../ui/serve-ui.js'

interface UiCommandOptions extends CommonOptions, UiOptions {
  readonly open: boolean
}

export function addUi(program: Command, cli: Cli): void {
  const command = program
    .command('ui')
    .description('a dashboard of the fleet, and the API behind it')
    .option('--port <n>', `where to listen, or the next free port; default ${USUAL_PORT}`, parsePort)
    .option('--host <address>', 'the address to listen on; any but loopback needs a token')
    .option('--allow-host <names...>', 'names besides those of this machine by which clients may call it')
    .option('--environment <name>', 'shown beside the heading, such as production')
    .option('--read-only', 'refuse every write')
    .option('--no-open', 'do not open a browser')
    .action(async (options: UiCommandOptions) => {
      const shutdown = new Shutdown()
      cli.exitCode = await shutdown.run(() => serve(shutdown, options))
    })
  withCommon(command, [
    'busbar ui --redis redis://127.0.0.1:6379',
    'busbar ui --read-only --no-open --environment production',
    'BUSBAR_TOKEN=... busbar ui --host 0.0.0.0 --allow-host busbar.internal',
  ]).addHelpText(
    'after',
    '\nOn loopback every user of this machine may do everything, unless BUSBAR_TOKEN is set (16 characters or more).' +
      '\nOn any other address a token is needed: BUSBAR_TOKEN, or one that is made and printed in the address.' +
      '\nA program sends it as Authorization: Bearer <token>. While Redis is away, the page says so and waits.',
  )
}

async function serve(shutdown: Shutdown, options: UiCommandOptions): Promise<void> {
  const { redis, namespace, hint } = findFleet(options)
  const busbar = await connect({
    ...{ redis, namespace, workerId: workerId(), commandTimeoutMs: COMMAND_WITHIN_MS },
    // It serves without Redis too, and says so.
    onRedisDown: 'local',
    logger: stderrLogger,
  }).catch((error: unknown) => {
    throw unreachable(error, redis, hint) ?? error
  })
  shutdown.onEnd(() => busbar.close({ timeoutMs: COMMAND_WITHIN_MS }))
  // On demand: help needs no server.
  const { serveUi } = await import('../ui/serve-ui.js')
  const ui = await serveUi(busbar, options)
  shutdown.onEnd(() => ui.close())
  if (options.json === true) writeLine(JSON.stringify({ type: 'page', url: ui.url }))
  else {
    writeLine(`page ${ui.url}`)
    writeLine(`Redis ${hideSecrets(redis)}, namespace ${namespace}. Ctrl-C ends it.`)
  }
  if (options.open) openBrowser(ui.url)
}

const note = (fields: object, message: string): void => {
  const { provider, action, actor } = fields as { provider?: unknown; action?: unknown; actor?: unknown } // whatever was logged
  const what = typeof action === 'string' ? ` ${action} ${String(provider)} by ${String(actor)}:` : ''
  process.stderr.write(`busbar:${what} ${hideSecrets(message)}\n`)
}

/** Writes, outages and failures, a line each. */
const stderrLogger: Logger = { debug: () => undefined, info: note, warn: note, error: note }
