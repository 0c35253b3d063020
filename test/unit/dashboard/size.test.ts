import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { createHandler } from '../../../src/http/index.js'
import { createTestBusbar } from '../../../src/testing.js'

const MOST = 60_000

it('the dashboard, with page, script and style, is at most 60 kB gzipped, and needs nothing from elsewhere', async () => {
  const busbar = createTestBusbar()
  const handler = createHandler(busbar, { authorize: 'anyone' })
  const text = async (path: string) => (await handler(new Request(`http://localhost/${path}`))).text()
  const [page, script, style] = [await text(''), await text('dashboard.js'), await text('dashboard.css')]
  await busbar.close()
  const bytes = [page, script, style].map((part) => gzipSync(part).byteLength)
  expect(bytes.reduce((sum, part) => sum + part)).toBeLessThanOrEqual(MOST)
  expect(page).not.toMatch(/ style=| on\w+=|<style|<script>|(?:src|href)="(?:https?:|\/)/)
  expect(style).not.toMatch(/@import|url\(/)
  expect(script).not.toMatch(/\bimport\s*[("'{]|\beval\(|new Function\(/)
  // The licences of what is bundled ask for their text.
  for (const name of ['preact', 'uplot']) {
    const licence = readFileSync(new URL(`../../../node_modules/${name}/LICENSE`, import.meta.url), 'utf8')
    expect(script).toContain(licence.trim())
  }
})
