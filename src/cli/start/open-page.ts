import type { Busbar } from '../../index.js'
import type { UiOptions } from '../ui/serve-ui.js'
import type { Shutdown } from './shutdown.js'
import type { Reporter } from './reporter.js'

/** Serves the page of a fleet that was started here, and says where. Loaded only then. */
export async function openPage(
  busbar: Busbar,
  shutdown: Shutdown,
  reporter: Reporter,
  options: UiOptions,
): Promise<void> {
  const { serveUi } = await import('../ui/serve-ui.js')
  const ui = await serveUi(busbar, options)
  shutdown.onEnd(() => ui.close())
  reporter.page(ui.url)
}
