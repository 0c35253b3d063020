import { JsonReporter } from './json-reporter.js'
import { LineReporter } from './line-reporter.js'
import { LiveReporter } from './live-reporter.js'
import type { Reporter } from './reporter.js'

export function chooseReporter(json: boolean): Reporter {
  if (json) return new JsonReporter()
  const { stdout } = process
  return stdout.isTTY && process.env['TERM'] !== 'dumb' ? new LiveReporter(stdout) : new LineReporter()
}
