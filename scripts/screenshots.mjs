// `npm run pictures:screenshots [-- <name>...]`: photographs the dashboard over a fleet of its own, for docs/images/.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startRedis } from '../dist/embedded/index.js'
import { createHandler, toNode } from '../dist/http/index.js'
import { connect } from '../dist/index.js'
import { withPalette } from './pictures/png-palette.mjs'
import { shots } from './pictures/screenshot-list.mjs'
import { startScreenshotFleet } from './pictures/screenshot-fleet.mjs'
import { chromiumProblem, launchChromium } from './setup/chromium.mjs'

const root = fileURLToPath(new URL('../', import.meta.url))
const folder = join(root, 'docs', 'images')
const SCALE = 1.5
const WIDE = { width: 1240, height: 800 }

const problem = chromiumProblem()
if (problem !== undefined) {
  console.error(problem)
  process.exit(1)
}
const wanted = process.argv.slice(2)
const fleet = await startScreenshotFleet({ connect, startRedis, createHandler, toNode, log: console.log })
const browser = await launchChromium(root)
try {
  await fleet.ready
  for (const shot of shots) if (wanted.length === 0 || wanted.includes(shot.name)) await take(shot)
} finally {
  await browser.close()
  await fleet.close()
}

async function take({ name, hash, scheme = 'light', size = WIDE, prepare }) {
  const context = await browser.newContext({
    ...{ colorScheme: scheme, reducedMotion: 'reduce', viewport: size, deviceScaleFactor: SCALE },
    ...{ locale: 'en-GB', timezoneId: 'UTC' },
  })
  const page = await context.newPage()
  await page.goto(`${fleet.url}/${hash}`)
  await page.getByText('live', { exact: true }).waitFor()
  await page.getByRole('main').getByRole('heading').first().waitFor()
  await prepare?.(page, fleet)
  const picture = withPalette(await page.screenshot())
  await context.close()
  await writeFile(join(folder, `dashboard-${name}.png`), picture)
  console.log(`docs/images/dashboard-${name}.png, ${Math.round(picture.length / 1_000)} kB`)
}
