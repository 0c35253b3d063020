import pc from 'picocolors'
import { HEALTH_STATUSES, type CircuitState, type HealthStatus } from '../index.js'

type Paint = (text: string) => string

export interface Paints {
  readonly bold: Paint
  readonly dim: Paint
  readonly green: Paint
  readonly yellow: Paint
  readonly red: Paint
}

const asItIs: Paint = (text) => text

/** Of what has its colours from elsewhere, such as a page. */
export const NO_PAINT: Paints = { bold: asItIs, dim: asItIs, green: asItIs, yellow: asItIs, red: asItIs }

/** Colour on a terminal only, unless NO_COLOR is set; with FORCE_COLOR everywhere. */
export function paintsFor(stream: { readonly isTTY?: boolean }, env = process.env): Paints {
  const set = (name: string) => (env[name] ?? '') !== ''
  const terminal = stream.isTTY === true && env['TERM'] !== 'dumb'
  return pc.createColors(!set('NO_COLOR') && (set('FORCE_COLOR') || terminal))
}

/** Health by word, colour and shape, so that it reads without colour too. */
export function paintHealth(paints: Paints, health: HealthStatus): string {
  switch (health) {
    case 'healthy':
      return paints.green(`● ${health}`)
    case 'degraded':
      return paints.yellow(`▲ ${health}`)
    case 'unhealthy':
    case 'timeout':
      return paints.red(`✖ ${health}`)
    case 'terminated':
      return paints.red(`■ ${health}`)
    default:
      return health satisfies never
  }
}

export function paintState(paints: Paints, state: CircuitState): string {
  switch (state) {
    case 'closed':
      return paints.green(state)
    case 'half_open':
      return paints.yellow(state)
    case 'open':
      return paints.red(state)
    default:
      return state satisfies never
  }
}

/** The colour of an outcome, without its shape: for rows of many. */
export function paintOutcome(paints: Paints, status: string, text: string): string {
  if (status === 'healthy') return paints.green(text)
  if (status === 'degraded') return paints.yellow(text)
  // A status that a later version added is neither good nor bad here.
  return HEALTH_STATUSES.some((known) => known === status) ? paints.red(text) : text
}
