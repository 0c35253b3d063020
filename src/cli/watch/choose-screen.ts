import type { FleetAddress } from '../url-file.js'
import { JsonScreen } from './json-screen.js'
import { PlainScreen } from './plain-screen.js'
import type { Screen } from './screen.js'
import { TerminalScreen } from './terminal-screen.js'

export function chooseScreen(address: FleetAddress, json: boolean): Screen {
  if (json) return new JsonScreen(address)
  const { stdout } = process
  const terminal = stdout.isTTY && process.env['TERM'] !== 'dumb'
  return terminal ? new TerminalScreen(stdout, address) : new PlainScreen()
}
