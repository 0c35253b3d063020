import type { Outcome } from '../../model/words.js'

/**
 * What results and errors of clients say of a call: one table, from which calls are judged and docs/classification.md is
 * written. Within each list the first rule that fits decides.
 */
interface Rule {
  readonly outcome: Outcome
  readonly why: string
}

/** Statuses of HTTP, inclusive. */
export interface StatusRule extends Rule {
  readonly from: number
  readonly to: number
  /** Only where the response says how long to wait. */
  readonly namesPause?: true
}

export const STATUS_RULES: readonly StatusRule[] = [
  { from: 100, to: 399, outcome: 'healthy', why: 'the provider answered' },
  { from: 407, to: 407, outcome: 'ignored', why: 'a proxy answered, not the provider' },
  { from: 408, to: 408, outcome: 'timeout', why: 'request timeout' },
  { from: 425, to: 425, outcome: 'throttled', why: 'too early' },
  { from: 429, to: 429, outcome: 'throttled', why: 'too many requests' },
  { from: 400, to: 499, outcome: 'client_error', why: "the provider answered; the fault is the caller's" },
  { from: 503, to: 503, outcome: 'throttled', why: 'the provider says when to come back', namesPause: true },
  { from: 500, to: 599, outcome: 'unhealthy', why: 'the provider failed' },
]

/** Codes and names of errors; `*` stands for any letters. They outrank the status: AWS throttles with 400 too. */
export interface WordRule extends Rule {
  readonly words: readonly string[]
  /** A cancelled call; see `classifyError`. */
  readonly cancelled?: true
}

export const WORD_RULES: readonly WordRule[] = [
  {
    words: ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'EPIPE', 'EHOSTUNREACH', 'ENETUNREACH'],
    outcome: 'unhealthy',
    why: 'no connection, whatever the error is named: AWS names a reset a TimeoutError',
  },
  {
    words: ['TimeoutError', 'APIConnectionTimeoutError', 'RequestTimeout', 'RequestTimeoutException'],
    outcome: 'timeout',
    why: "names of clients' own time limits: fetch, undici, got, OpenAI, Anthropic, AWS",
  },
  {
    words: [
      'ETIMEDOUT',
      'ESOCKETTIMEDOUT',
      'ECONNABORTED',
      'ERR_SOCKET_CONNECTION_TIMEOUT',
      'UND_ERR_*_TIMEOUT',
    ],
    outcome: 'timeout',
    why: 'codes of time limits: Node, axios, superagent, undici',
  },
  {
    words: ['AbortError', 'ABORT_ERR', 'CanceledError', 'ERR_CANCELED', 'CancelError', 'APIUserAbortError'],
    outcome: 'ignored',
    why: "cancelled; `timeout` where the signal's reason is a TimeoutError",
    cancelled: true,
  },
  {
    words: ['UND_ERR_ABORTED', 'ABORTED'],
    outcome: 'ignored',
    why: 'cancelled: undici, superagent',
    cancelled: true,
  },
  {
    words: [
      ...['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE', 'ERR_INVALID_CHAR', 'ERR_INVALID_HTTP_TOKEN'],
      ...['ERR_INVALID_PROTOCOL', 'ERR_INVALID_URL', 'ERR_UNESCAPED_CHARACTERS', 'ERR_HTTP_INVALID_*'],
      ...['ERR_BAD_OPTION', 'ERR_BAD_OPTION_VALUE', 'ERR_UNSUPPORTED_PROTOCOL', 'UND_ERR_INVALID_ARG'],
      ...['UND_ERR_CLOSED', 'UND_ERR_DESTROYED', 'UND_ERR_NOT_SUPPORTED'],
      ...['UND_ERR_REQ_CONTENT_LENGTH_MISMATCH', 'UND_ERR_INVALID_RETURN_VALUE'],
    ],
    outcome: 'ignored',
    why: 'the client refused the call before it began',
  },
  {
    words: ['EMFILE', 'ENFILE', 'ENOBUFS', 'EADDRNOTAVAIL'],
    outcome: 'ignored',
    why: 'this process or its machine has no file or port left: it says nothing of the provider',
  },
  {
    words: [
      ...['Throttling', 'ThrottlingException', 'ThrottledException', 'EC2ThrottledException'],
      ...[
        'RequestThrottled',
        'RequestThrottledException',
        'TooManyRequestsException',
        'RequestLimitExceeded',
      ],
      ...['ProvisionedThroughputExceededException', 'BandwidthLimitExceeded', 'SlowDown'],
    ],
    outcome: 'throttled',
    why: 'AWS; also any error with `$retryable.throttling`',
  },
]

/** Numbers of gRPC, also of Connect. */
export interface GrpcRule extends Rule {
  readonly codes: readonly number[]
}

const GRPC_CANCELLED = 1
export const GRPC_RULES: readonly GrpcRule[] = [
  { codes: [GRPC_CANCELLED], outcome: 'ignored', why: 'CANCELLED' },
  { codes: [4], outcome: 'timeout', why: 'DEADLINE_EXCEEDED' },
  { codes: [8], outcome: 'throttled', why: 'RESOURCE_EXHAUSTED' },
  {
    codes: [3, 5, 6, 7, 9, 10, 11, 16],
    outcome: 'client_error',
    why: 'INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, UNAUTHENTICATED',
  },
  {
    codes: [2, 12, 13, 14, 15],
    outcome: 'unhealthy',
    why: 'UNKNOWN, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS',
  },
]

const RULED = WORD_RULES.flatMap((rule) => rule.words.map((word) => ({ word, rule })))
const EXACT = new Map(RULED.map(({ word, rule }) => [word, rule]))
const PATTERNS = RULED.filter(({ word }) => word.includes('*')).map(({ word, rule }) => ({
  pattern: new RegExp(`^${word.replaceAll('*', '[A-Z_]+')}$`),
  rule,
}))

/** The rule of a code or a name, if there is one. */
export const ruleOfWord = (word: string): WordRule | undefined =>
  EXACT.get(word) ?? PATTERNS.find(({ pattern }) => pattern.test(word))?.rule

/** `namesPause` is asked only where it decides. */
export const ruleOfStatus = (status: number, namesPause: () => boolean): StatusRule | undefined =>
  STATUS_RULES.find(
    (rule) => status >= rule.from && status <= rule.to && (rule.namesPause !== true || namesPause()),
  )

/** Whether the status alone says that the provider is well, on the way of every call that answers a response. */
export const isHealthyStatus = (status: number): boolean => HEALTHY_STATUSES.has(status)

const HEALTHY_STATUSES = new Set(
  Array.from({ length: 500 }, (_, i) => 100 + i).filter(
    (status) => ruleOfStatus(status, () => true)?.outcome === 'healthy',
  ),
)

/** `certain`: the error is one of gRPC by more than its code. Code 1 alone is the exit code of many a process. */
export const ruleOfGrpc = (code: number, certain: boolean): GrpcRule | undefined =>
  certain || code !== GRPC_CANCELLED ? GRPC_RULES.find(({ codes }) => codes.includes(code)) : undefined
