#!/usr/bin/env node
// The command as npm links it. The work is in dist/, which a fresh clone does not have yet.
import { existsSync } from 'node:fs'

const main = new URL('../dist/cli/main.js', import.meta.url)
// That of package.json: a test compares them.
const [major, minor] = process.versions.node.split('.').map(Number)

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`busbar needs Node 20.19 or later; this is Node ${process.versions.node}.`)
  process.exitCode = 70
} else if (existsSync(main)) {
  const cli = await import(main.href)
  process.exitCode = await cli.main(process.argv.slice(2))
} else {
  console.error('busbar is not built yet: run `npm ci && npm run build` in its folder first.')
  process.exitCode = 70
}
