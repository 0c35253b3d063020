import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { GRPC_RULES, STATUS_RULES, WORD_RULES } from '../../src/client/call/classification-table.js'
import { classifyError, classifyResult } from '../../src/client/call/classify.js'
import { CallRefusedError, CallTimeoutError } from '../../src/model/errors.js'

const error = (fields: object, name = 'Error') => Object.assign(new Error('secret'), { name }, fields)
const aborted = (reason?: unknown) => AbortSignal.abort(reason)
const timeLimit = new DOMException('', 'TimeoutError')

describe('a returned value', () => {
  it.each([
    [100, 'healthy'],
    [200, 'healthy'],
    [399, 'healthy'],
    [400, 'client_error'],
    [401, 'client_error'],
    [404, 'client_error'],
    [407, 'ignored'],
    [408, 'timeout'],
    [425, 'throttled'],
    [428, 'client_error'],
    [429, 'throttled'],
    [499, 'client_error'],
    [500, 'unhealthy'],
    [503, 'unhealthy'],
    [504, 'unhealthy'],
    [599, 'unhealthy'],
  ])('with status %i is %s', (status, outcome) => {
    expect(classifyResult({ status, headers: new Headers() })).toMatchObject({
      outcome,
      ...(outcome === 'healthy' ? {} : { detail: `HTTP ${status}` }),
    })
  })

  it.each<[string, object, string]>([
    ['fetch', new Response('', { status: 503 }), 'unhealthy'],
    ['undici.request, got, node:http', { statusCode: 503, headers: {} }, 'unhealthy'],
    ['axios', { status: 503, statusText: '', headers: {}, data: '', config: {} }, 'unhealthy'],
    ['a client that keeps the status as text', { status: '404', headers: {} }, 'client_error'],
    ['a word, and a status', { status: 'error', statusCode: 500, headers: {} }, 'unhealthy'],
  ])('is an HTTP response of %s', (_, result, outcome) => {
    expect(classifyResult(result).outcome).toBe(outcome)
  })

  it.each<[string, unknown]>([
    ['a status without headers', { status: 500 }],
    ['a status below 100', { status: 99, headers: {} }],
    ['a status above 599', { status: 600, headers: {} }],
    ['a broken status', { status: 500.5, headers: {} }],
    ['nothing', null],
    ['text', '500'],
  ])('is none in %s', (_, result) => {
    expect(classifyResult(result)).toEqual({ outcome: 'healthy' })
  })

  it.each(['retry-after', 'Retry-After-Ms'])('with 503 and %s is a pause, not a failure', (name) => {
    const verdict = classifyResult({ status: 503, headers: { [name]: '7' } })
    expect(verdict).toMatchObject({ outcome: 'throttled', detail: 'HTTP 503' })
  })
})

describe('a thrown error', () => {
  it.each<[string, unknown, string, string]>([
    [
      'axios 0.x and 1.x',
      error({ code: 'ERR_BAD_REQUEST', response: { status: 404 } }),
      'client_error',
      'HTTP 404',
    ],
    [
      'got',
      error({ code: 'ERR_NON_2XX_3XX_RESPONSE', response: { statusCode: 503 } }),
      'unhealthy',
      'HTTP 503',
    ],
    ['a status as text', error({ status: '404' }), 'client_error', 'HTTP 404'],
    ['Google, text', error({ code: '404' }), 'client_error', 'HTTP 404'],
    ['Google, number', error({ code: 503 }), 'unhealthy', 'HTTP 503'],
    ['Boom', error({ output: { statusCode: 403 } }), 'client_error', 'HTTP 403'],
    ['AWS', error({ $metadata: { httpStatusCode: 400 } }, 'ValidationException'), 'client_error', 'HTTP 400'],
    ['AWS, a success that threw', error({ $metadata: { httpStatusCode: 200 } }, 'Odd'), 'unhealthy', 'Odd'],
    ['a status that is none', error({ status: 999 }), 'unhealthy', 'Error'],
    ["the cause's status", error({ cause: error({ status: 404 }) }), 'client_error', 'HTTP 404'],
    [
      "the cause's code",
      new TypeError('fetch failed', { cause: error({ code: 'ENOTFOUND' }) }),
      'unhealthy',
      'ENOTFOUND',
    ],
    ["the cause's time limit", error({ cause: { cause: { code: 'ETIMEDOUT' } } }), 'timeout', 'ETIMEDOUT'],
    ['gRPC, numbers alone', error({ code: 5 }), 'client_error', 'gRPC 5'],
    ['gRPC', error({ code: 14, details: '' }), 'unhealthy', 'gRPC 14'],
    ['Connect', error({ code: 16, metadata: new Headers() }, 'ConnectError'), 'client_error', 'gRPC 16'],
    ['gRPC, cancelled', error({ code: 1, details: '' }), 'ignored', 'gRPC 1'],
    ['an exit code', error({ code: 1 }), 'unhealthy', 'Error'],
    ['an exit code of child_process', error({ code: 5, killed: false, cmd: 'x' }), 'unhealthy', 'Error'],
    ['numbers of another kind', error({ code: 13 }, 'MongoServerError'), 'unhealthy', 'MongoServerError'],
    ['numbers of a DOMException', new DOMException('', 'NotFoundError'), 'unhealthy', 'NotFoundError'],
    ['a time limit of fetch', timeLimit, 'timeout', 'TimeoutError'],
    [
      'a time limit of undici',
      error({ code: 'UND_ERR_HEADERS_TIMEOUT' }),
      'timeout',
      'UND_ERR_HEADERS_TIMEOUT',
    ],
    ['a time limit of another provider', new CallTimeoutError('other', 5), 'timeout', 'call_timeout'],
    ['a reset that AWS names so', error({ code: 'ECONNRESET' }, 'TimeoutError'), 'unhealthy', 'ECONNRESET'],
    ['an abort', new DOMException('', 'AbortError'), 'ignored', 'AbortError'],
    ['an abort for a time limit', error({ cause: timeLimit }, 'AbortError'), 'timeout', 'TimeoutError'],
    [
      'axios, its signal a time limit',
      error({ code: 'ERR_CANCELED', config: { signal: aborted(timeLimit) } }),
      'timeout',
      'TimeoutError',
    ],
    [
      'axios, its signal a Stop',
      error({ code: 'ERR_CANCELED', config: { signal: aborted() } }),
      'ignored',
      'ERR_CANCELED',
    ],
    [
      'an argument that cannot be sent',
      error({ code: 'ERR_INVALID_CHAR' }, 'TypeError'),
      'ignored',
      'ERR_INVALID_CHAR',
    ],
    [
      'a refusal by another provider',
      new CallRefusedError('other', 'circuit_open', '', 5),
      'ignored',
      'circuit_open',
    ],
    [
      'a process without a file left, as fetch says it',
      new TypeError('fetch failed', { cause: error({ code: 'EMFILE', syscall: 'connect' }) }),
      'ignored',
      'EMFILE',
    ],
    [
      'a machine without a port left',
      error({ code: 'EADDRNOTAVAIL', syscall: 'connect' }),
      'ignored',
      'EADDRNOTAVAIL',
    ],
    [
      'a body that is not as long as its header says',
      error({ code: 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH' }),
      'ignored',
      'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
    ],
    ['a TypeError', new TypeError('x is not a function'), 'ignored', 'TypeError'],
    ['a ReferenceError', new ReferenceError('x'), 'ignored', 'ReferenceError'],
    ['a RangeError', new RangeError('x'), 'ignored', 'RangeError'],
    ['a TypeError with a code', Object.assign(new TypeError('x'), { code: 'MINE' }), 'unhealthy', 'MINE'],
    ["a TypeError of a fetch that is not Node's", new TypeError('Failed to fetch'), 'unhealthy', 'TypeError'],
    ['a body that is no JSON', new SyntaxError('x'), 'unhealthy', 'SyntaxError'],
    ['no error', 'text', 'unhealthy', 'string'],
  ])('%s', (_, thrown, outcome, detail) => {
    expect(classifyError(thrown)).toMatchObject({ outcome, detail })
  })

  it.each<[string, object]>([
    ['ThrottlingException of AWS', error({ $metadata: { httpStatusCode: 400 } }, 'ThrottlingException')],
    ['$retryable of AWS', error({ $retryable: { throttling: true }, $metadata: { httpStatusCode: 400 } })],
    ['gRPC 8', error({ code: 8 })],
    ['status 429', error({ status: 429 })],
  ])('is a pause of a second by itself: %s', (_, thrown) => {
    expect(classifyError(thrown)).toMatchObject({ outcome: 'throttled', retryAfterMs: 1_000 })
  })

  it.each<[string, object]>([
    ['its response', { response: { status: 429, headers: { 'retry-after': '3' } } }],
    ['its response, by get', { response: { status: 429, headers: new Headers({ 'Retry-After': '3' }) } }],
    ['itself', { status: 429, headers: { 'Retry-After': 3 } }],
    ["Vercel's place", { statusCode: 429, responseHeaders: { 'retry-after': '3' } }],
    ["AWS's place", { $metadata: { httpStatusCode: 429 }, $response: { headers: { 'retry-after': '3' } } }],
  ])('tells the pause in %s', (_, fields) => {
    expect(classifyError(error(fields))).toMatchObject({ outcome: 'throttled', retryAfterMs: 3_000 })
  })

  it('ends with causes that go round in a circle', () => {
    const circle = error({})
    circle.cause = circle
    expect(classifyError(circle).outcome).toBe('unhealthy')
  })

  it('says a detail that fits, however long the code', () => {
    const { detail } = classifyError(error({ code: `UND_ERR_${'X'.repeat(500)}_TIMEOUT` }))
    expect(detail?.length).toBeLessThanOrEqual(60)
  })
})

describe('the table of docs/classification.md', () => {
  it('is the table that calls are judged by', () => {
    const ticked = (words: readonly (string | number)[]) => words.map((word) => `\`${word}\``).join(', ')
    const rows = [
      ...STATUS_RULES.map(({ from, to, namesPause, outcome, why }) => [
        `HTTP ${from === to ? from : `${from} to ${to}`}${namesPause === true ? ' with `Retry-After`' : ''}`,
        outcome,
        why,
      ]),
      ...WORD_RULES.map(({ words, outcome, why }) => [ticked(words), outcome, why]),
      ...GRPC_RULES.map(({ codes, outcome, why }) => [`gRPC ${codes.join(', ')}`, outcome, why]),
    ]
    const table = [
      '| seen | outcome | why |',
      '|---|---|---|',
      ...rows.map((row) => `| ${row.join(' | ')} |`),
    ]
    const page = 'docs/classification.md'
    const marked = /<!-- table -->\n\n([^]*?)\n\n<!-- \/table -->/
    const text = readFileSync(page, 'utf8')
    if (process.env['BUSBAR_UPDATE_DOCS'] === '1') {
      writeFileSync(page, text.replace(marked, `<!-- table -->\n\n${table.join('\n')}\n\n<!-- /table -->`))
    } else expect(marked.exec(text)?.[1]).toBe(table.join('\n'))
  })
})
