import { spawn } from 'node:child_process'

const COMMANDS: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
  linux: ['xdg-open'],
}

/** Shows an address in the browser of a person who sits at this terminal; where there is none, nothing happens. */
export function openBrowser(url: string): void {
  const [command, ...args] = COMMANDS[process.platform] ?? []
  if (command === undefined || !process.stdout.isTTY) return
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true })
  child.on('error', () => undefined) // the address was printed; a person can go there
  child.unref()
}
