import type { Provider } from '../../index.js'
import { writeJson, writeLine, type Cli, type ByHandOptions } from '../common.js'
import { EXIT } from '../failure.js'
import { findProvider, withFleet } from '../fleet.js'
import { paintHealth, paintsFor, paintState } from '../../view/paint.js'
import { readView, viewJson, why } from '../../view/provider-view.js'
import { retryText } from '../../view/status-table.js'

/** Changes a provider, and prints its state afterwards. */
export async function changeByHand(
  cli: Cli,
  id: string,
  options: ByHandOptions,
  act: (provider: Provider) => Promise<void>,
): Promise<void> {
  cli.exitCode = await withFleet(options, async (fleet) => {
    const provider = await findProvider(fleet, id)
    await act(provider)
    const view = await readView(provider)
    if (options.json === true) {
      writeJson(viewJson(view))
      return EXIT.ok
    }
    const paints = paintsFor(process.stdout)
    const { health, state } = view.snapshot
    const retry = retryText(view)
    const wait = retry === '-' ? '' : `, retry ${retry.startsWith('on') ? retry : `in ${retry}`}`
    const reason = why(view)
    const facts = `${paintHealth(paints, health)}, circuit ${paintState(paints, state)}${wait}`
    writeLine(`${paints.bold(id)} ${facts}${reason === '' ? '' : ` (${reason})`}`)
    return EXIT.ok
  })
}
