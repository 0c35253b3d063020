import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Context, Page } from '../../scripts/setup/chromium.mjs'
import { BIN, processTree, startCommand, survivors, type Started } from '../harness/cli.js'
import { eventually } from '../harness/eventually.mjs'
import { byForm } from '../harness/form.js'
import { axe, live, problem, rowOf, skipAll, useBrowser, visit } from './browser.js'
import { focused, movingParts, outOfReach, overflow, seen } from './in-page.mjs'

if (problem === undefined) describe('the dashboard of npm start', { timeout: 180_000 }, sample)
else skipAll(problem)

/** Live data is watched at least this long, ms: shifts of the layout, and what the page costs. */
const WATCHED_MS = byForm({ short: 10_000, full: 60_000 })
/** Share of one core that a page takes which nobody touches. Measured; the bound leaves room for a busy machine. */
const IDLE_SHARE = 0.05

const VIEWS = ['#/', '#/provider/cycling', '#/matrix', '#/groups', '#/schedules']

function sample(): void {
  let job: Started
  let folder = ''
  let url = ''
  useBrowser()
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'busbar-browser-'))
    job = startCommand([BIN, 'start', '--port', '0'], { cwd: folder })
    await job.said(/^ready /m)
    url = (await job.said(/\bpage (http:\S+)$/m))[1] ?? ''
  })
  afterAll(async () => {
    await survivors(processTree(job.pid), 0)
    rmSync(folder, { recursive: true, force: true })
  })

  it.concurrent(
    'shows a provider open and close, shifts nothing, and costs next to nothing',
    async (test) => {
      const { page, context } = await visit(test, url)
      await live(page)
      const cycling = rowOf(page, 'cycling')
      const cpu = await taskSeconds(context, page)
      const [began, before] = [performance.now(), await cpu()]
      await cycling.getByText('open', { exact: true }).waitFor({ timeout: 60_000 })
      // Another test of this fleet trips a second one meanwhile.
      expect(await page.getByRole('heading').first().innerText()).toMatch(
        /^[12] of 3 providers refuses? calls/,
      )
      expect(await page.title()).toMatch(/^\([12]\) Fleet/)
      expect(await cycling.innerText()).toMatch(/unhealthy[^]*consecutive[^]*retry in \d/)
      await cycling.getByText('closed', { exact: true }).waitFor({ timeout: 60_000 })
      await eventually(() => performance.now() - began >= WATCHED_MS, {
        ...{ what: 'live data for as long as it is to be watched', timeoutMs: 120_000, everyMs: 250 },
      })
      const share = ((await cpu()) - before) / ((performance.now() - began) / 1_000)
      const { shifts } = await page.evaluate(seen)
      console.log(
        `dashboard: ${(share * 100).toFixed(2)} % of a core, ${shifts.length} layout shifts in ` +
          `${((performance.now() - began) / 1_000).toFixed(0)} s of live data`,
      )
      expect(shifts).toEqual([])
      expect(share).toBeLessThan(IDLE_SHARE)
    },
  )

  it.concurrent('is used by the keyboard alone: a trip with a reason, and who did it', async (test) => {
    const { page } = await visit(test, url)
    await live(page)
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key)
    }
    const focus = (what: string | RegExp) =>
      eventually(async () => expect(await page.evaluate(focused)).toMatch(what), `the focus: ${String(what)}`)
    await press('Tab')
    await focus('a Skip to the content')
    await press('Enter')
    await focus(/^main/)
    await press('/')
    await focus('input Find a provider')
    await page.keyboard.type('steady')
    await rowOf(page, 'cycling').waitFor({ state: 'detached' })
    await tabTo(page, 'a steady')
    await press('Enter')
    await page.getByRole('heading', { name: 'steady' }).waitFor()
    await focus(/^main/)
    await press('Tab')
    await focus(/^a .*Fleet/)
    await press('Tab')
    await focus('button Trip')
    await press('Enter')
    const dialog = page.getByRole('dialog', { name: 'Trip steady' })
    await dialog.waitFor()
    await press('Escape')
    await dialog.waitFor({ state: 'hidden' })
    await focus('button Trip')
    await press('Enter')
    await dialog.waitFor()
    await dialog.getByText(/Refuses calls in all \d workers/).waitFor()
    await tabTo(page, 'input')
    await page.keyboard.type('their status page is red')
    await press('Enter')
    await page.getByText('Done: trip.').waitFor()
    await focus('button Trip')
    const event = page.locator('.events li').filter({ hasText: 'opened' }).first()
    await event.getByText('their status page is red').waitFor()
    expect(await event.innerText()).toMatch(/\S@\S/) // the user of this machine
    await page
      .getByText(/calls are refused/)
      .first()
      .waitFor()
    await press('Tab', 'Enter')
    const reset = page.getByRole('dialog', { name: 'Reset steady' })
    await reset.waitFor()
    await tabTo(page, 'input')
    await page.keyboard.type('green again')
    await press('Enter')
    await page.getByText('Done: reset.').waitFor()
    await page.locator('.states').getByText('closed').waitFor()
  })

  it.concurrent('has nothing serious for axe, in light and dark', async (test) => {
    const { page } = await visit(test, url)
    const look = async (what: string) => {
      await page.emulateMedia({ colorScheme: 'light' })
      expect({ what, light: await axe(page) }).toEqual({ what, light: [] })
      await page.emulateMedia({ colorScheme: 'dark' })
      // All else is as it was in light.
      expect({ what, dark: await axe(page, ['color-contrast']) }).toEqual({ what, dark: [] })
    }
    for (const view of VIEWS) {
      await show(page, url, view)
      await look(view)
    }
    await show(page, url, '#/provider/slow')
    await page.getByRole('button', { name: 'Mark' }).click()
    await look('a dialog')
  })

  it.concurrent('fits 360 px, and moves nothing for those who want no motion', async (test) => {
    const { page } = await visit(test, url, { size: { width: 360, height: 740 } })
    await page.emulateMedia({ reducedMotion: 'reduce' })
    for (const view of VIEWS) {
      await show(page, url, view)
      const found = { overflow: await page.evaluate(overflow), outOfReach: await page.evaluate(outOfReach) }
      expect({ view, ...found }).toEqual({ view, overflow: 0, outOfReach: [] })
      expect(await page.evaluate(movingParts)).toEqual([])
    }
    await show(page, url, '#/provider/slow')
    for (const name of ['Trip', 'Reset', 'Mark', 'Probe now']) {
      await page.getByRole('button', { name, exact: true }).click()
      const dialog = page.getByRole('dialog')
      await dialog.waitFor()
      expect(await page.evaluate(overflow)).toBe(0)
      expect(await page.evaluate(outOfReach)).toEqual([])
      await dialog.getByRole('button', { name: 'Cancel' }).click()
      await dialog.waitFor({ state: 'hidden' })
    }
  })
}

/** Presses Tab until the focus is there. */
async function tabTo(page: Page, what: string): Promise<void> {
  const passed: string[] = []
  for (let turn = 0; turn < 30; turn += 1) {
    const at = await page.evaluate(focused)
    if (at.startsWith(what)) return
    passed.push(at)
    await page.keyboard.press('Tab')
  }
  throw new Error(`no Tab leads to ${what}: ${passed.join(', ')}`)
}

/** Shows a view, with all that it asks for. */
async function show(page: Page, url: string, view: string): Promise<void> {
  await page.goto(`${url}${view}`)
  await live(page)
  if (view.includes('provider')) {
    await page.locator('.canvas canvas').waitFor()
    await page.getByRole('heading', { name: 'Settings' }).waitFor()
  }
  await page
    .getByText(/^Reading/)
    .first()
    .waitFor({ state: 'detached' })
}

/** How long a processor has worked for the page, s: not how long it waited for one. */
async function taskSeconds(context: Context, page: Page): Promise<() => Promise<number>> {
  const session = await context.newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  return async () => {
    const { metrics } = (await session.send('Performance.getMetrics')) as {
      metrics: readonly { name: string; value: number }[] // the protocol of the browser
    }
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN
  }
}
