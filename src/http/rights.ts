import { checkArgument } from '../config/check.js'
import { ACTIONS, viewerSchema, type Action } from '../config/http.js'
import { Refused } from './problem.js'

/** What `authorize` answers: the name that goes into the journal, and what the request may do. Reading is always among it. */
export interface Viewer {
  /** At most 128 characters. */
  readonly actor: string
  /** `operate`: every action. */
  readonly can: 'read' | 'operate' | readonly Action[]
}

export type Authorize = (request: Request) => Viewer | null | Promise<Viewer | null>

const ANYONE: Viewer = { actor: 'anyone', can: 'operate' }

/** @throws Refused 401; whatever `authorize` throws; ArgumentError for an answer that makes no sense */
export async function viewerOf(request: Request, authorize: Authorize | 'anyone'): Promise<Viewer> {
  if (authorize === 'anyone') return ANYONE
  const answer: unknown = await authorize(request)
  if (answer === null) throw new Refused('unauthorized', 'authorize answered null')
  checkArgument(viewerSchema, answer, 'authorize')
  return answer as Viewer // checked just now; fields of the program's own are kept for `visible`
}

export const actionsOf = ({ can }: Viewer): readonly Action[] => {
  if (can === 'read') return []
  return can === 'operate' ? ACTIONS : can
}

/** @throws Refused 405 or 403 */
export function assertMay(viewer: Viewer, action: Action, readOnly: boolean): void {
  if (readOnly)
    throw new Refused('read_only', `${action} is refused: this handler is read-only`, { allow: 'GET' })
  if (!actionsOf(viewer).includes(action)) {
    throw new Refused('forbidden', `${viewer.actor} may not ${action}`)
  }
}
