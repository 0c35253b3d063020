import { isBusbarError } from '../../index.js'
import { packageVersion } from '../../package/version.js'
import { AWAY_SENTENCE, fleetSentence } from '../../view/fleet-words.js'
import { clean } from '../../view/format.js'
import { NO_PAINT, paintHealth } from '../../view/paint.js'
import { pausedText } from '../../view/paused.js'
import { why, type ProviderView } from '../../view/provider-view.js'
import { probeText, retryText, successText } from '../../view/status-table.js'
import type { Exchange, Site } from '../exchange.js'
import { fleetOf } from '../api/read.js'
import type { FleetNow } from '../fleet-state.js'
import { html, Html } from './html.js'

/** The fleet as HTML. The script on it replaces `main` when something has changed; without scripts it is a page to reload. */
export async function statusPage(exchange: Exchange): Promise<Response> {
  const { site } = exchange
  try {
    const now = await fleetOf(exchange)
    return page(200, site, fleet(now))
  } catch (error) {
    if (!isBusbarError(error, 'redis_unavailable')) throw error
    return page(503, site, html`<p class="strip away" role="status">${AWAY_SENTENCE}</p>`)
  }
}

/** Not within a template: the bundler would put a helper of its own, which is in no package, around a template that ends a script. */
const SCRIPT = new Html('<script src="page.js" defer></script>')

function page(status: number, site: Pick<Site, 'title' | 'environment' | 'busbar'>, main: Html): Response {
  const { title, environment, busbar } = site
  const badge = environment === '' ? new Html('') : html`<span class="badge">${environment}</span>`
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${environment === '' ? title : `${title} (${environment})`}</title>
        <link rel="stylesheet" href="page.css" />
        ${SCRIPT}
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          ${badge}<span class="dim">namespace ${busbar.namespace}</span>
        </header>
        <p id="banner" role="alert" hidden></p>
        <main id="main" data-read-at="${Date.now()}">${main}</main>
        <footer class="dim">
          <span id="age"></span><span>Busbar ${packageVersion()}</span><a href="api/openapi.json">API</a>
        </footer>
      </body>
    </html> `
  const headers = { 'content-type': 'text/html; charset=utf-8' }
  return new Response(document.text, { status, headers })
}

const HEAD = ['Provider', 'Health', 'Circuit', 'Retry in', 'Success', 'Last probe', 'Mark', 'Why']

function fleet({ entries, unreadable, pausedProbeQueues }: FleetNow): Html {
  const views = entries.map(({ view }) => view)
  const paused = pausedText(pausedProbeQueues)
  return html` <p class="strip">${fleetSentence(views, unreadable.length)}</p>
    ${paused === '' ? '' : html`<p class="strip away">${clean(paused)}</p>`}
    <div class="scroll">
      <table>
        <thead>
          <tr>
            ${HEAD.map((name) => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${views.map(row)}${unreadable.map(
            ({ id, why: reason }) =>
              html`<tr>
                <th scope="row">${id}</th>
                <td colspan="${HEAD.length - 1}">cannot be read: ${reason}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`
}

function row(view: ProviderView): Html {
  const { id, health, state, mark } = view.snapshot
  const cells = [retryText(view), successText(view), probeText(view, NO_PAINT), mark ?? '-', why(view) || '-']
  return html` <tr>
    <th scope="row">${id}</th>
    <td class="${health}">${paintHealth(NO_PAINT, health)}</td>
    <td class="${state}">${state}</td>
    ${cells.map((cell) => html`<td>${clean(cell)}</td>`)}
  </tr>`
}
