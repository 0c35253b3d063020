import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startRedis, type EmbeddedRedis } from '../../src/embedded/index.js'
import { createHandler, toNode, type HandlerOptions } from '../../src/http/index.js'
import { connect, type Busbar } from '../../src/index.js'
import { eventually } from '../harness/eventually.mjs'
import { axe, live, problem, rowOf, skipAll, useBrowser, visit } from './browser.js'
import { makeHostile, MARKUP } from './hostile.js'
import { overflow, scrollToEnd, seen } from './in-page.mjs'

if (problem === undefined) describe('the dashboard of a fleet', { timeout: 180_000 }, fleet)
else skipAll(problem)

const COUNT = 1_000
const idOf = (number: number) => `provider-${String(number).padStart(4, '0')}`

/** More rows than a window of 800 px shows, with those beyond its edges. */
const MOST_ROWS = 60

function fleet(): void {
  let redis: EmbeddedRedis
  let busbar: Busbar
  const urls = { many: '', readOnly: '' }
  const stop: (() => void)[] = []
  useBrowser()
  beforeAll(async () => {
    redis = await startRedis()
    busbar = await connect({ redis: redis.url, namespace: 'many', logger: false, commandTimeoutMs: 5_000 })
    await Promise.all(Array.from({ length: COUNT }, (_, number) => busbar.provider(idOf(number + 1))))
    const serve = async (options: Partial<HandlerOptions>) => {
      const authorize = () => ({ actor: 'alice', can: 'operate' }) as const
      const handler = createHandler(busbar, { authorize, ...options })
      const server = createServer(toNode(handler))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      stop.push(() => (handler.close(), server.closeAllConnections(), server.close()))
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}/` // it listens on a port
    }
    urls.many = await serve({})
    urls.readOnly = await serve({ readOnly: true })
  })
  afterAll(async () => {
    for (const each of stop) each()
    await busbar.close()
    await redis.stop()
  })

  it('finds one of 1 000 providers, and scrolls to the last with few rows in the page', async (test) => {
    const { page } = await visit(test, urls.many)
    await live(page)
    await rowOf(page, idOf(1)).waitFor()
    const rows = page.locator('.row')
    expect(await page.getByRole('table').getAttribute('aria-rowcount')).toBe(String(COUNT + 1))
    expect(await rows.count()).toBeLessThan(MOST_ROWS)
    await page.evaluate(scrollToEnd)
    await rowOf(page, idOf(COUNT)).waitFor()
    expect(await rows.count()).toBeLessThan(MOST_ROWS)
    await page.getByLabel('Find a provider').fill('0777')
    await rowOf(page, idOf(777)).waitFor()
    await eventually(async () => expect(await rows.count()).toBe(1))
    expect(page.url()).toContain('find=0777') // a link that can be sent
    await page.getByText(`1 provider of 1,000`).waitFor()
    await busbar.get(idOf(777))?.trip({ reason: 'red page', actor: 'bob' })
    await rowOf(page, idOf(777)).getByText('open', { exact: true }).waitFor()
    await page.getByText('Show all').click()
    await eventually(
      async () => expect(await rows.first().innerText()).toContain(idOf(777)),
      'the worst first',
    )
    await page.getByRole('button', { name: /^open/ }).click()
    await eventually(async () => expect(await rows.count()).toBe(1))
    expect((await page.evaluate(seen)).shifts.map(({ of }) => of)).toEqual([])
  })

  it('offers nothing where it is read-only, and the API refuses', async (test) => {
    const { page } = await visit(test, `${urls.readOnly}#/provider/${idOf(1)}`)
    await page.getByRole('heading', { name: 'Settings' }).waitFor()
    await page.getByText('read-only').waitFor()
    for (const name of ['Trip', 'Reset', 'Mark', 'Resume', 'Probe now'])
      expect(await page.getByRole('button', { name, exact: true }).count()).toBe(0)
    const refused = await fetch(`${urls.readOnly}api/providers/${idOf(1)}/trip`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'x' }),
    })
    expect(refused.status).toBe(405)
  })

  it('shows hostile ids, reasons and details as text', async (test) => {
    const connection = new Redis(redis.url)
    const ids = await makeHostile(busbar, connection)
    await connection.quit()
    const { page, check } = await visit(test, urls.many)
    await live(page)
    const tooWide: string[] = []
    const look = async (width: number, view: string) => {
      const by = await page.evaluate(overflow)
      if (by > 0) tooWide.push(`${view.slice(0, 40)} by ${by} px at ${width} px`)
      await check()
    }
    for (const width of [1_280, 360]) {
      await page.setViewportSize({ width, height: 800 })
      for (const id of ids) {
        await page.goto(`${urls.many}#/provider/${encodeURIComponent(id)}`)
        await page.locator('h1').getByText(id.slice(0, 40)).waitFor()
        await page.locator('.events li').getByText(MARKUP.slice(0, 30)).first().waitFor()
        await look(width, id)
      }
      for (const view of ['#/', '#/matrix', '#/groups', '#/schedules']) {
        await page.goto(urls.many + view)
        await page
          .getByText(/^Reading/)
          .first()
          .waitFor({ state: 'detached' })
        await look(width, view)
      }
    }
    expect(tooWide).toEqual([])
    await page.goto(urls.many)
    await page.evaluate(scrollToEnd)
    await page.getByRole('heading', { name: 'Cannot be read' }).waitFor()
    await page.getByRole('listitem').getByText(MARKUP).first().waitFor()
    await page.goto(`${urls.many}#/provider/${ids[0] ?? ''}`)
    await page
      .getByText(/show all [\d,]+ characters/)
      .first()
      .click()
    const text = await page.locator('body').innerText()
    expect(text).toMatch(/deployed .?gpj\.exe/)
    expect(text).not.toMatch(/[\u202A-\u202E\u2066-\u2069]/) // nothing turns what comes after it
    expect(await page.evaluate(overflow)).toBe(0)
    expect(await axe(page)).toEqual([])
  })

  it('says that Redis does not answer, also to those who come then, and goes on when it does', async (test) => {
    const { page } = await visit(test, urls.many, { allow: /status of 503/ })
    await live(page)
    process.kill(redis.pid, 'SIGSTOP')
    try {
      await page.getByText(/^Redis .*answer.* since/).waitFor()
      expect(await axe(page)).toEqual([])
      const late = await visit(test, urls.many, { allow: /status of 503/ })
      await late.page.getByText(/^Redis does not answer\. The providers are shown here/).waitFor()
      process.kill(redis.pid, 'SIGCONT')
      await rowOf(late.page, idOf(2)).waitFor()
      await live(late.page)
    } finally {
      process.kill(redis.pid, 'SIGCONT')
    }
    await page.getByText(/^Redis .*answer.* since/).waitFor({ state: 'hidden' })
    await live(page)
  })
}
