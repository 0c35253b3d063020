import type { FleetAddress } from '../url-file.js'
import { JsonScreen } from './json-screen.js'
import { PlainScreen } from './plain-screen.js'
import type { Screen } from './screen.js'
import { TerminalScreen } from './terminal-screen.js'

export function chooseScreen(address: FleetAddress, json: boolean, onQuit: () => void): Screen {
  if (json) return new JsonScreen(address)
  const { stdout, stdin } = process
  const terminal = stdout.isTTY && process.env['TERM'] !== 'dumb'
  if (!terminal) return new PlainScreen()
  return new TerminalScreen({ out: stdout, input: stdin.isTTY ? stdin : undefined, address, onQuit })
}
