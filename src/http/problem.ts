import { isBusbarError, type ErrorCode } from '../index.js'
import { hideSecrets } from '../view/format.js'

/** Codes of problems that only a request over HTTP can have. Errors of Busbar have their own (docs/errors.md). */
export const HTTP_PROBLEMS = {
  unauthorized: { status: 401, title: 'authorize did not let this request in.' },
  forbidden: { status: 403, title: 'This action is not among the rights of this request.' },
  cross_site: { status: 403, title: 'A write came from a page of another site.' },
  not_found: { status: 404, title: 'There is nothing at this address.' },
  method_not_allowed: { status: 405, title: 'This address does not take this method.' },
  read_only: { status: 405, title: 'This handler is read-only.' },
  body_too_large: { status: 413, title: 'The body is longer than 64 KB.' },
  body_not_json: { status: 415, title: 'The body of a write is application/json.' },
  host_not_allowed: { status: 421, title: 'The Host of this request is not on the list.' },
  too_many_streams: { status: 503, title: 'All 200 streams are taken.' },
  internal: { status: 500, title: 'The request failed for a reason that the log has.' },
} as const
export type HttpProblem = keyof typeof HTTP_PROBLEMS

/** A request that is refused, and the answer. */
export class Refused extends Error {
  readonly code: HttpProblem
  readonly headers: Readonly<Record<string, string>>

  constructor(code: HttpProblem, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail)
    this.code = code
    this.headers = headers
  }
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  settings_invalid: 400,
  argument_invalid: 400,
  provider_unknown: 404,
  provider_removed: 404,
  redis_unavailable: 503,
  redis_unsupported: 503,
  command_late: 503,
  busbar_closed: 503,
}

/** The answer to an error; undefined for one that is no answer to the client: a fault of this process. */
export function problemOf(error: unknown): Response | undefined {
  if (error instanceof Refused) {
    const { status, title } = HTTP_PROBLEMS[error.code]
    return problem(status, { code: error.code, title, detail: error.message }, error.headers)
  }
  if (!isBusbarError(error)) return undefined
  const status = STATUS[error.code]
  if (status === undefined) return undefined
  // The message without secrets: it may name an address.
  const body = { code: error.code, title: titleOf(error.code), detail: hideSecrets(error.message) }
  return problem(status, body, status === 503 ? { 'retry-after': '1' } : {})
}

export const internalProblem = (): Response =>
  problem(500, {
    code: 'internal',
    title: HTTP_PROBLEMS.internal.title,
    detail: 'see the log of this process',
  })

const titleOf = (code: ErrorCode): string => code.replaceAll('_', ' ')

function problem(
  status: number,
  body: { readonly code: string; readonly title: string; readonly detail: string },
  headers: Readonly<Record<string, string>> = {},
): Response {
  const text = JSON.stringify({ type: 'about:blank', ...body, status })
  return new Response(text, { status, headers: { ...headers, 'content-type': 'application/problem+json' } })
}
