// `npm run pictures:recording`: runs `npm start` in a real terminal and writes docs/images/start.svg, which plays it.
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { recordTerminal } from './pictures/terminal-frames.mjs'
import { terminalSvg } from './pictures/terminal-svg.mjs'

const root = new URL('../', import.meta.url)
const file = fileURLToPath(new URL('docs/images/start.svg', root))
const SIZE = { columns: 110, rows: 20 }

const bin = fileURLToPath(new URL('bin/busbar.mjs', root))
const frames = await recordTerminal({
  ...SIZE,
  command: `'${process.execPath}' '${bin}' start`,
  from: 'busbar start',
  seconds: 16,
})
const title =
  'npm start: a live table of three providers; the circuit of one opens, is tried, and closes again'
await writeFile(file, terminalSvg({ frames, ...SIZE, title }))
console.log(`${frames.length} frames are in docs/images/start.svg.`)
