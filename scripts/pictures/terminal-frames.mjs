// A command in a real terminal of a given size, and what its screen showed, frame by frame.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import xterm from '@xterm/headless'

/** Every how many ms the screen is looked at. */
const LOOK_MS = 200

/**
 * Runs `command` until `seconds` after it has written `from`, and ends it as Ctrl-C does.
 * Answers the frames: `{ atMs, rows }`, a row being pieces of text of one style. util-linux's `script` is the terminal.
 */
export async function recordTerminal({ command, columns, rows, from, seconds }) {
  const shell = `stty cols ${columns} rows ${rows}; exec ${command}`
  const child = spawn('script', ['--quiet', '--flush', '--return', '--command', shell, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm-256color', COLORTERM: 'truecolor', SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true })
  let heard = ''
  child.stdout.on('data', (data) => {
    if (!heard.includes(from)) heard += data.toString()
    terminal.write(data)
  })
  const ended = once(child, 'exit')
  try {
    await Promise.race([
      until(() => heard.includes(from), 120_000, `the command did not write ${JSON.stringify(from)}`),
      ended.then(() => Promise.reject(new Error(`the command ended early:\n${heard}`))),
    ])
    return await frames(terminal, seconds * 1_000)
  } finally {
    child.stdin.write('\x03')
    await Promise.race([ended, sleep(10_000, undefined, { ref: false }).then(() => child.kill())])
    terminal.dispose()
  }
}

async function until(condition, limitMs, why) {
  const end = performance.now() + limitMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(why)
    await sleep(20)
  }
}

/** Only those that differ from the one before. */
async function frames(terminal, forMs) {
  const found = []
  const began = performance.now()
  let last = ''
  for (;;) {
    const atMs = Math.round(performance.now() - began)
    if (atMs >= forMs) return found
    const rows = screenOf(terminal)
    const text = JSON.stringify(rows)
    if (text !== last) found.push({ atMs, rows })
    last = text
    await sleep(LOOK_MS)
  }
}

function screenOf(terminal) {
  const buffer = terminal.buffer.active
  return Array.from({ length: terminal.rows }, (_, y) =>
    piecesOf(buffer.getLine(buffer.viewportY + y), terminal.cols),
  )
}

/** Neighbours of one style are one piece; blanks at the end are none. */
function piecesOf(line, columns) {
  const pieces = []
  for (let x = 0; x < columns; x += 1) {
    const cell = line?.getCell(x)
    if (cell === undefined || cell.getWidth() === 0) continue
    const style = { color: colorOf(cell), bold: cell.isBold() !== 0, dim: cell.isDim() !== 0 }
    const last = pieces.at(-1)
    const text = cell.getChars() || ' '
    if (last !== undefined && sameStyle(last.style, style)) last.text += text
    else pieces.push({ x, text, style })
  }
  const kept = pieces.filter(({ text }) => text.trim() !== '')
  return kept.map((piece) => ({ ...piece, text: piece.text.trimEnd() }))
}

/** One of the 16 colours, or null: the terminal's own. */
const colorOf = (cell) => (cell.isFgPalette() && cell.getFgColor() < 16 ? cell.getFgColor() : null)

const sameStyle = (a, b) => a.color === b.color && a.bold === b.bold && a.dim === b.dim
