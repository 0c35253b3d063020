import { checkArgument } from '../../config/check.js'
import { BODIES, type Action } from '../../config/http.js'
import type { Mark, Provider, TimedControlOptions } from '../../index.js'
import { readView, viewJson } from '../../view/provider-view.js'
import { readJson } from '../body.js'
import { json, providerOf, type Exchange } from '../exchange.js'
import { assertMay } from '../rights.js'

type Run = (exchange: Exchange) => Promise<Response>

/** Writes. The name of the viewer goes into the journal, with the reason; the answer is the provider afterwards. */
export const act = {
  trip: change('trip', async (provider, body, actor) => {
    const { reason, forMs } = checkArgument(BODIES.trip, body, 'body')
    await provider.trip({ reason, actor, forMs })
    return reason
  }),
  reset: change('reset', async (provider, body, actor) => {
    const { reason } = checkArgument(BODIES.reset, body, 'body')
    await provider.reset({ reason, actor })
    return reason
  }),
  mark: change('mark', async (provider, body, actor) => {
    const { mark, reason, forMs } = checkArgument(BODIES.mark, body, 'body')
    await setMark(provider, mark, { reason, actor, forMs })
    return reason
  }),
  resume: change('resume', async (provider, body, actor) => {
    const { reason } = checkArgument(BODIES.resume, body, 'body')
    await provider.resume({ reason, actor })
    return reason
  }),
  /** Not probed is an answer too, not a problem: a mark, a pause, no worker. The journal has no probes, so the log says who asked. */
  probe: async (exchange: Exchange): Promise<Response> => {
    const { body, provider } = await begin(exchange, 'probe')
    const { reason, timeoutMs } = checkArgument(BODIES.probe, body, 'body')
    note(exchange, 'probe', reason)
    return json(await exchange.site.busbar.probe(provider.id, { timeoutMs }))
  },
} satisfies Record<Action, Run>

function change(
  action: Action,
  run: (provider: Provider, body: unknown, actor: string) => Promise<string>,
): Run {
  return async (exchange) => {
    const { body, provider } = await begin(exchange, action)
    const reason = await run(provider, body, exchange.viewer.actor)
    note(exchange, action, reason)
    return json(viewJson(await readView(provider)))
  }
}

async function begin(exchange: Exchange, action: Action) {
  assertMay(exchange.viewer, action, exchange.site.readOnly)
  const body = await readJson(exchange.request)
  return { body, provider: await providerOf(exchange) }
}

function note({ site, viewer, id }: Exchange, action: Action, reason: string): void {
  site.busbar.logger.info({ provider: id, action, actor: viewer.actor, reason }, 'asked for over HTTP')
}

function setMark(provider: Provider, mark: Mark, options: TimedControlOptions): Promise<void> {
  switch (mark) {
    case 'unhealthy':
      return provider.markUnhealthy(options)
    case 'degraded':
      return provider.markDegraded(options)
    case 'terminated':
      return provider.markTerminated(options)
    default:
      return mark satisfies never
  }
}
