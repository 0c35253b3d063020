import type { Command } from 'commander'
import { withCommon, writeJson, writeLine, type Cli } from '../common.js'
import { EXIT } from '../failure.js'
import { wrap } from '../../view/format.js'
import { findProvider, withFleet, type CommonOptions } from '../fleet.js'
import { explain, type Explanation } from '../../view/explain.js'
import { pausedQueuesOf } from '../../view/paused.js'
import { paintsFor } from '../../view/paint.js'
import { readView, viewJson } from '../../view/provider-view.js'

/** The transitions behind the present state are among the newest events. */
const EVENTS_READ = 200

export function addExplain(program: Command, cli: Cli): void {
  const command = program
    .command('explain')
    .description('explain in sentences why a provider is as it is, until when, and what would change it')
    .argument('<id>', 'the provider')
    .action(async (id: string, options: CommonOptions) => {
      cli.exitCode = await withFleet(options, async (fleet) => {
        const provider = await findProvider(fleet, id)
        const view = await readView(provider)
        const outages = await provider.outages()
        const pausedQueues = await pausedQueuesOf(fleet.busbar, id)
        const events = await provider.events({ count: EVENTS_READ })
        const explanation = explain(view, events, outages, pausedQueues)
        const facts = { provider: viewJson(view), outages, pausedProbeQueues: pausedQueues }
        if (options.json === true) writeJson({ ...explanation, ...facts })
        else writeExplanation(explanation)
        return EXIT.ok
      })
    })
  withCommon(command, ['busbar explain openai', 'busbar explain openai --json'])
}

const TOPIC_WIDTH = 14

function writeExplanation({ headline, sentences }: Explanation): void {
  const paints = paintsFor(process.stdout)
  const width = (process.stdout.columns || Infinity) - TOPIC_WIDTH - 1
  writeLine(paints.bold(headline))
  writeLine()
  for (const { topic, text } of sentences) {
    const [first = '', ...rest] = wrap(text, width)
    writeLine(`${paints.dim(`  ${topic}`.padEnd(TOPIC_WIDTH))}${first}`)
    for (const line of rest) writeLine(`${' '.repeat(TOPIC_WIDTH)}${line}`)
  }
}
