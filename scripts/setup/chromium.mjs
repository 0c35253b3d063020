// Debian's chromium, for the tests of test/browser/ and for the screenshots. What drives it, playwright-core, is a package of
// test/browser/: `npm start` and `npm test` need neither.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'

const NAMES = ['chromium', 'chromium-browser']

/** Its path, or undefined. */
export const findChromium = (path = process.env.PATH ?? '') =>
  path
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((file) => existsSync(file))

/** Nothing of it may ask for anything outside of this machine. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
]

/** Why there is no browser, or undefined. */
export const chromiumProblem = () =>
  findChromium() === undefined ? 'chromium is not installed: apt-get install chromium' : undefined

/** A browser without a window, of playwright-core. */
export async function launchChromium(root) {
  const { chromium } = packageOf(root, 'playwright-core')
  return chromium.launch({ executablePath: findChromium(), args: ARGS })
}

/** One of the packages of test/browser/. */
export const packageOf = (root, name) => createRequire(join(root, 'test', 'browser', 'package.json'))(name)
