import { isBusbarError } from '../../index.js'
import { packageVersion } from '../../package/version.js'
import { AWAY_SENTENCE, fleetSentence } from '../../view/fleet-words.js'
import { fleetOf } from '../api/read.js'
import type { Exchange } from '../exchange.js'
import { actionsOf } from '../rights.js'
import { html, Html } from './html.js'

/**
 * The page that the dashboard runs in: `src/dashboard/` draws it from the API and the stream. It has what no request need
 * be made for, and one sentence on the fleet for those who run no scripts.
 */
export async function dashboardPage(exchange: Exchange): Promise<Response> {
  try {
    const { entries, unreadable } = await fleetOf(exchange)
    const views = entries.map(({ view }) => view)
    return page(200, exchange, fleetSentence(views, unreadable.length))
  } catch (error) {
    if (!isBusbarError(error, 'redis_unavailable')) throw error
    return page(503, exchange, AWAY_SENTENCE)
  }
}

/** Not within a template: the bundler would put a helper of its own, which is in no package, around a template that ends a script. */
const SCRIPT = new Html('<script src="dashboard.js" type="module"></script>')

function page(status: number, exchange: Exchange, sentence: string): Response {
  const { title, environment } = exchange.site
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${environment === '' ? title : `${title} (${environment})`}</title>
        <link rel="icon" href="icon.svg" />
        <link rel="stylesheet" href="dashboard.css" />
        ${SCRIPT}
      </head>
      <body>
        <noscript>
          <h1>${title}</h1>
          <p>${sentence}</p>
          <p>
            This page needs JavaScript. Without it: <a href="api/providers">the API</a>, and
            <code>busbar status</code>.
          </p>
        </noscript>
        <div id="dashboard" data-about="${JSON.stringify(aboutOf(exchange))}"></div>
      </body>
    </html> `
  const headers = { 'content-type': 'text/html; charset=utf-8' }
  return new Response(document.text, { status, headers })
}

/** `About` of src/dashboard/store/about.ts. */
function aboutOf({ site, viewer }: Exchange): object {
  const { title, environment, readOnly, busbar } = site
  return {
    ...{ title, environment, readOnly, namespace: busbar.namespace, version: packageVersion() },
    ...{ actor: viewer.actor, actions: readOnly ? [] : actionsOf(viewer) },
  }
}
