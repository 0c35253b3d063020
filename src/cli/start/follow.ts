import { EVENT_KINDS, isBusbarError, type Busbar, type Provider } from '../../index.js'
import { isProviderTrouble } from '../../view/provider-trouble.js'
import { readView, type ProviderView } from '../../view/provider-view.js'
import type { Shutdown } from './shutdown.js'
import type { Reporter } from './reporter.js'

/** Shows every event from now on. */
export function reportEvents(busbar: Busbar, reporter: Reporter): void {
  for (const kind of EVENT_KINDS) busbar.on(kind, (event) => reporter.event(event))
}

/** The views of all providers that can be read. One that cannot be read is left out. @throws an error of all of them */
async function readEach(providers: readonly Provider[]): Promise<ProviderView[]> {
  const read = await Promise.allSettled(providers.map(readView))
  const views = read.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = read.find((one) => one.status === 'rejected' && !isProviderTrouble(one.reason))
  if (failed?.status === 'rejected') throw failed.reason
  return views
}

/** Reads and shows the providers at once, and then again and again until the end. */
export function reportStatus(providers: readonly Provider[], reporter: Reporter, shutdown: Shutdown): void {
  let timer: NodeJS.Timeout | undefined
  let away = false
  const show = async () => {
    try {
      reporter.status(await readEach(providers))
      if (away) reporter.note('Redis answers again')
      away = false
    } catch (error) {
      // Redis may come back, and a removed provider may be registered again: reading goes on.
      if (!isBusbarError(error)) throw error
      if (!away && !shutdown.begun) reporter.note(`the status cannot be read: ${error.message}`)
      away = true
    }
  }
  const again = () => {
    show()
      .catch((error: unknown) => reporter.note(`the status cannot be shown: ${String(error)}`))
      .finally(() => {
        if (!shutdown.begun) timer = setTimeout(again, reporter.statusEveryMs)
      })
  }
  shutdown.onEnd(() => clearTimeout(timer))
  again()
}
