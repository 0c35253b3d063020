import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, type TestContext } from 'vitest'
import {
  chromiumProblem,
  launchChromium,
  packageOf,
  type Browser,
  type Context,
  type Page,
} from '../../scripts/setup/chromium.mjs'
import { findings, injected, seen, watch } from './in-page.mjs'

const root = process.cwd()
const packages = join(import.meta.dirname, 'node_modules')

/** Why no test here can run, or undefined. */
export const problem =
  chromiumProblem() ??
  (existsSync(packages) ? undefined : 'packages of test/browser are missing: npm run test:all')

/** In place of the tests of a file, where there is no browser. */
export function skipAll(why: string): void {
  console.log(why)
  it('shows the dashboard in a browser', (context) => {
    context.task.meta.skipReason = why
    context.skip(why)
  })
}

let browser: Browser | undefined

/** One browser for the tests of a file. */
export function useBrowser(): void {
  beforeAll(async () => {
    browser = await launchChromium(root)
  })
  afterAll(() => browser?.close())
}

export interface Visit {
  readonly page: Page
  readonly context: Context
  /** Says of the page what is wrong in it whatever is shown: and so does the end of the test. */
  readonly check: () => Promise<void>
}

export interface VisitOptions {
  readonly size?: { readonly width: number; readonly height: number }
  readonly scheme?: 'light' | 'dark'
  /** Messages of the console that the test is about. */
  readonly allow?: RegExp
}

/**
 * A page of its own, closed with the test. Whatever the test looks at, the page makes no request elsewhere, breaks no content
 * policy, runs no script that came with a text, and logs no error.
 */
export async function visit(test: TestContext, url: string, options: VisitOptions = {}): Promise<Visit> {
  if (browser === undefined) throw new Error('useBrowser() comes first')
  const { size = { width: 1_280, height: 800 }, scheme = 'light', allow } = options
  const context = await browser.newContext({ viewport: size, colorScheme: scheme, locale: 'en-GB' })
  await context.addInitScript(watch)
  const page = await context.newPage()
  const wrong = listen(page, { origin: new URL(url).origin, allow })
  const check = async () => {
    const { violations } = await page.evaluate(seen)
    expect({ violations, injected: await page.evaluate(injected), wrong }).toEqual({
      ...{ violations: [], injected: [], wrong: [] },
    })
  }
  test.onTestFinished(async () => {
    await check().finally(() => context.close())
  })
  await page.goto(url)
  return { page, context, check }
}

function listen(page: Page, { origin, allow }: { origin: string; allow: RegExp | undefined }): string[] {
  const wrong: string[] = []
  page.on('console', (message) => {
    const noted = message.type() === 'error' || message.type() === 'warning'
    if (noted && allow?.test(message.text()) !== true)
      wrong.push(`console: ${message.text()} ${message.location().url}`)
  })
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`))
  page.on('dialog', (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`)) wrong.push(`request: ${request.url()}`)
  })
  return wrong
}

/** Serious and critical findings of axe in what is shown now; of all its rules, or of some. */
export async function axe(page: Page, rules?: readonly string[]): Promise<string[]> {
  const { source } = packageOf(root, 'axe-core') as { source: string } // the text of its script
  await page.evaluate(`if (typeof axe === 'undefined') { ${source} }`)
  return page.evaluate(findings, rules)
}

/** A row of the fleet. */
export const rowOf = (page: Page, id: string) => page.locator(`.row[data-key="${id}"]`)

/** Waits, with a deadline, until the page is live. */
export const live = (page: Page) => page.getByText('live', { exact: true }).waitFor()
