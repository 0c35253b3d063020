import type { Command } from 'commander'
import { withCommon, writeJson, writeLine, type Cli } from '../common.js'
import { inFile, readConfigFile } from '../config-file.js'
import { CliError, EXIT, wrongCall } from '../failure.js'
import { fleetFromEnvironment, type CommonOptions } from '../fleet.js'
import { clean, formatMs } from '../../view/format.js'

interface AlertsOptions extends CommonOptions {
  readonly config: string
}

export function addAlerts(program: Command, cli: Cli): void {
  const command = program
    .command('alerts')
    .description(
      '"alerts test <hook>" sends a test message to a hook of the file now, and prints what it answers',
    )
    .argument('<action>', 'test')
    .argument('<hook>', 'its name below alerts.hooks')
    .option('-c, --config <file>', 'the file of busbar start', 'busbar.yaml')
    .action(async (action: string, hook: string, options: AlertsOptions) => {
      if (action !== 'test') throw wrongCall(`alerts: expected "alerts test <hook>", got ${clean(action)}`)
      cli.exitCode = await test(hook, options)
    })
  withCommon(command, [
    'busbar alerts test ops',
    'busbar alerts test ops --config busbar.yaml --json | jq .result',
  ]).addHelpText(
    'after',
    '\nExit code: 0 delivered (HTTP 2xx), 1 not delivered, 64 the file or the hook is wrong' +
      '\nIt is sent from here, once, and needs no Redis: ${env:NAME} is read from the environment of this command.' +
      '\nURL and secret are not shown. The file is that of "busbar start --config", which sends alerts where it has hooks.',
  )
}

async function test(name: string, { config, json, namespace }: AlertsOptions): Promise<number> {
  const file = readConfigFile(config)
  if (file.alerts === undefined) throw wrongCall(`${file.name}: alerts: expected hooks below it, got none`)
  const fleet = namespace ?? fleetFromEnvironment().namespace ?? file.namespace ?? 'busbar'
  const { sendTest } = await import('../../alerts/send-test.js')
  const report = await sendTest(name, file.alerts, fleet).catch(inFile(file))
  const { answer, delivered, elapsedMs, hook, result } = report
  if (json === true) writeJson(report)
  else if (delivered) writeLine(`${hook}: delivered, ${result} in ${formatMs(elapsedMs)}`)
  else {
    const said = answer === '' ? '' : `, and it says: ${answer}`
    throw new CliError('alert_failed', EXIT.failed, `${hook}: not delivered: ${result}${said}`)
  }
  return delivered ? EXIT.ok : EXIT.failed
}
