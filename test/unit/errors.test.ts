import { describe, expect, it, vi } from 'vitest'
import * as busbar from '../../src/index.js'
import { ERROR_CODES, isBusbarError, REFUSAL_CODES, type ErrorCode } from '../../src/index.js'

/** Every class of error, made as the code makes it, and what it bears. */
const ERRORS: [string, busbar.BusbarError, ErrorCode, string, object][] = [
  [
    'SettingsError',
    new busbar.SettingsError('breaker.cooldownMs', 'breaker.cooldownMs: no'),
    'settings_invalid',
    'breaker.cooldownMs: no',
    { path: 'breaker.cooldownMs' },
  ],
  ['ArgumentError', new busbar.ArgumentError('id', 'id: no'), 'argument_invalid', 'id: no', { path: 'id' }],
  [
    'CallTimeoutError',
    new busbar.CallTimeoutError('openai', 50),
    'call_timeout',
    'call to openai did not end within 50 ms',
    { providerId: 'openai', timeoutMs: 50 },
  ],
  [
    'GroupExhaustedError',
    new busbar.GroupExhaustedError('llm', [{ id: 'openai', code: 'timeout' }], ['openai (timeout)'], 70),
    'group_exhausted',
    'no member of group llm is left: openai (timeout)',
    { group: 'llm', attempts: [{ id: 'openai', code: 'timeout' }], retryAfterMs: 70 },
  ],
  [
    'UnknownProviderError',
    new busbar.UnknownProviderError('openai'),
    'provider_unknown',
    'no provider is registered as openai',
    { providerId: 'openai' },
  ],
  [
    'ProviderRemovedError',
    new busbar.ProviderRemovedError('openai'),
    'provider_removed',
    'provider openai was removed; call busbar.provider() to register it again',
    { providerId: 'openai' },
  ],
  [
    'RedisUnavailableError',
    new busbar.RedisUnavailableError('admit openai', new Error('Command timed out')),
    'redis_unavailable',
    'no answer from Redis for admit openai: Command timed out',
    {},
  ],
  ['RedisUnsupportedError', new busbar.RedisUnsupportedError('too old'), 'redis_unsupported', 'too old', {}],
  [
    'CommandLateError',
    new busbar.CommandLateError('trip', 'openai'),
    'command_late',
    'Redis ran trip of openai after its time limit, so it did nothing',
    {},
  ],
  ['BusbarClosedError', new busbar.BusbarClosedError(), 'busbar_closed', 'this busbar was closed', {}],
  ...REFUSAL_CODES.map((code): (typeof ERRORS)[number] => [
    'CallRefusedError',
    new busbar.CallRefusedError('openai', code, 'a reason', 70),
    code,
    'call to openai refused: a reason',
    { providerId: 'openai', retryAfterMs: 70 },
  ]),
]

describe('the registry of codes', () => {
  it('is this; a code is never renamed', () => {
    expect(Object.keys(ERROR_CODES)).toEqual([
      'circuit_open',
      'awaiting_probe',
      'no_trial_free',
      'marked_unhealthy',
      'marked_terminated',
      'throttled',
      'recovering',
      'worker_suspected',
      'redis_down',
      'group_exhausted',
      'call_timeout',
      'settings_invalid',
      'argument_invalid',
      'provider_unknown',
      'provider_removed',
      'redis_unavailable',
      'redis_unsupported',
      'command_late',
      'busbar_closed',
    ])
  })

  it('says what each means, in a sentence of its own', () => {
    const meanings = Object.values(ERROR_CODES)
    for (const meaning of meanings) expect(meaning).toMatch(/^[A-Z].{10,}\.$/)
    expect(new Set(meanings).size).toBe(meanings.length)
  })

  it('holds every code of a refusal, and every code that an error can bear', () => {
    expect(Object.keys(ERROR_CODES)).toEqual(expect.arrayContaining([...REFUSAL_CODES]))
    expect(new Set(ERRORS.map(([, , code]) => code))).toEqual(new Set(Object.keys(ERROR_CODES)))
  })

  it('knows every class that is exported', () => {
    const classes = Object.entries(busbar).filter(([name]) => name.endsWith('Error') && /^[A-Z]/.test(name))
    const known = new Set([...ERRORS.map(([name]) => name), 'BusbarError'])
    expect(new Set(classes.map(([name]) => name))).toEqual(known)
  })
})

describe.each(ERRORS)('%s', (name, error, code, message, fields) => {
  it(`is an error of ours, with its name, the code ${code} and what it is about`, () => {
    expect(error).toBeInstanceOf(Error)
    expect(error).toBeInstanceOf(busbar.BusbarError)
    expect(error).toMatchObject({ name, code, message, ...fields })
    expect(error.stack).toContain(message)
  })

  it(`is recognised by ${code}, and by no other code`, () => {
    expect(isBusbarError(error)).toBe(true)
    const codes = Object.keys(ERROR_CODES) as ErrorCode[]
    expect(codes.filter((other) => isBusbarError(error, other))).toEqual([code])
  })
})

describe('an error about Redis', () => {
  it('keeps its cause, whatever that was', () => {
    const cause = new Error('ECONNREFUSED')
    expect(new busbar.RedisUnavailableError('admit', cause).cause).toBe(cause)
    expect(new busbar.RedisUnavailableError('admit', 'just text').message).toContain('just text')
  })
})

describe('a refusal', () => {
  it('without a known end says so', () => {
    expect(new busbar.CallRefusedError('a', 'circuit_open', 'open', null).retryAfterMs).toBeNull()
  })
})

describe('isBusbarError', () => {
  it('knows an error of another copy of the package', async () => {
    vi.resetModules()
    const other = await import('../../src/model/errors.js')
    const error = new other.BusbarClosedError()
    expect(error).not.toBeInstanceOf(busbar.BusbarError)
    expect(isBusbarError(error)).toBe(true)
    expect(isBusbarError(error, 'busbar_closed')).toBe(true)
    expect(isBusbarError(error, 'call_timeout')).toBe(false)
  })

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['text', 'busbar_closed'],
    ['a number', 5],
    ['a function', () => undefined],
    ['another error', new Error('busbar_closed')],
    ['something with the code alone', { code: 'busbar_closed' }],
    ['something without a prototype', Object.create(null)],
  ])('does not take %s for one', (_, value) => {
    expect(isBusbarError(value)).toBe(false)
    expect(isBusbarError(value, 'busbar_closed')).toBe(false)
  })

  it('never throws, whatever was thrown', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    expect(isBusbarError(proxy)).toBe(false)
    const hostile = new Proxy(
      {},
      {
        has: () => {
          throw new Error('a trap')
        },
      },
    )
    expect(isBusbarError(hostile, 'busbar_closed')).toBe(false)
  })

  it('narrows the type', () => {
    const thrown: unknown = new busbar.BusbarClosedError()
    if (!isBusbarError(thrown)) throw new Error('not recognised')
    const code: ErrorCode = thrown.code
    expect(code).toBe('busbar_closed')
  })
})
