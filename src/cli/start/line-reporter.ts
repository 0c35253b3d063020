import type { ProviderEvent } from '../../index.js'
import { formatClock } from '../../view/format.js'
import type { FleetAddress } from '../url-file.js'
import { eventLine } from '../../view/event-line.js'
import { paintHealth, paintsFor, paintState } from '../../view/paint.js'
import { isHealthy, worstFirst } from '../../view/provider-list.js'
import type { ProviderView } from '../../view/provider-view.js'
import { probeText, retryText, successText } from '../../view/status-table.js'
import { readyLine, type Reporter } from './reporter.js'

const STATUS_EVERY_MS = 5_000
/** The most providers in one line; of more, only the worst are named. */
const MAX_BRIEF = 12

/** Plain lines: for files, pipes and containers. */
export class LineReporter implements Reporter {
  readonly statusEveryMs = STATUS_EVERY_MS
  readonly #paints = paintsFor(process.stdout)

  note(text: string): void {
    this.#line(`${this.#paints.dim(formatClock(Date.now()))} ${text}`)
  }

  event(event: ProviderEvent): void {
    this.#line(eventLine(event, this.#paints))
  }

  status(views: readonly ProviderView[]): void {
    const now = this.#paints.dim(formatClock(Date.now()))
    const shown = views.length <= MAX_BRIEF ? views : worstFirst(views).filter((view) => !isHealthy(view))
    const briefs = shown.slice(0, MAX_BRIEF).map((view) => this.#brief(view))
    const more = views.length - briefs.length
    if (more > 0) briefs.push(`${more} more, ${shown.length - briefs.length} of them not healthy`)
    this.#line(`${now} status ${briefs.join(' | ')}`)
  }

  #brief(view: ProviderView): string {
    const { id, health, state } = view.snapshot
    const retry = retryText(view)
    const parts = [
      `${id} ${paintHealth(this.#paints, health)}`,
      paintState(this.#paints, state),
      ...(retry === '-' ? [] : [`retry ${retry.startsWith('on') ? retry : `in ${retry}`}`]),
      successText(view),
      ...(view.snapshot.stale ? [`probe ${probeText(view, this.#paints)}`] : []),
    ]
    return parts.join(', ')
  }

  page(url: string): void {
    this.note(`page ${url}`)
  }

  ready(address: FleetAddress): void {
    this.#line(readyLine(address))
  }

  close(): void {
    // Nothing is held open.
  }

  #line(text: string): void {
    process.stdout.write(`${text}\n`)
  }
}
