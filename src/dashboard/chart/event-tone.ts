/** The colour of an event, by its kind; a kind of a later version has none. */
export function toneOf(kind: string): 'good' | 'warn' | 'bad' | 'mark' | 'none' {
  switch (kind) {
    case 'opened':
    case 'removed':
      return 'bad'
    case 'closed':
    case 'reset':
    case 'worker_cleared':
      return 'good'
    case 'half_opened':
    case 'throttled':
    case 'probe_overdue':
    case 'worker_suspected':
      return 'warn'
    case 'marked':
    case 'resumed':
      return 'mark'
    default:
      return 'none'
  }
}
