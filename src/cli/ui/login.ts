import { readText } from '../../http/body.js'
import { assertSameSite } from '../../http/guard.js'
import { html } from '../../http/page/html.js'
import type { Sessions } from './token.js'

/** The page that asks for the token, and what it sends; undefined for any other request. */
export async function login(
  request: Request,
  sessions: Sessions,
  title: string,
): Promise<Response | undefined> {
  const { pathname, searchParams } = new URL(request.url)
  if (pathname === '/dashboard.css') return undefined
  if (pathname !== '/login') {
    const asksForPage = pathname === '/' && request.method === 'GET' && !sessions.has(request)
    return asksForPage ? redirect('./login') : undefined
  }
  if (request.method === 'GET') {
    const token = searchParams.get('token')
    if (token === null) return page(200, title, '')
    return sessions.accepts(token) ? letIn(sessions) : page(401, title, WRONG)
  }
  if (request.method !== 'POST') return undefined
  assertSameSite(request)
  const token = new URLSearchParams(await readText(request)).get('token') ?? ''
  return sessions.accepts(token) ? letIn(sessions) : page(401, title, WRONG)
}

const WRONG = 'That is not the token.'

/** The address in the browser has the token no longer. */
const letIn = (sessions: Sessions): Response => redirect('./', { 'set-cookie': sessions.setCookie() })

const redirect = (location: string, headers: Record<string, string> = {}): Response =>
  new Response(null, { status: 303, headers: { location, ...headers } })

function page(status: number, title: string, problem: string): Response {
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="icon.svg" />
        <link rel="stylesheet" href="dashboard.css" />
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          <p class="away" role="alert">${problem}</p>
          <form class="login" method="post" action="login">
            <label
              >Token <input type="password" name="token" autocomplete="current-password" autofocus required
            /></label>
            <button>Enter</button>
          </form>
          <p class="dim">
            It is BUSBAR_TOKEN of the process that serves this page, or in the address that it printed.
          </p>
        </main>
      </body>
    </html> `
  return new Response(document.text, { status, headers: { 'content-type': 'text/html; charset=utf-8' } })
}
