import { inspect } from 'node:util'
import { expect, describe, it } from 'vitest'
import { redactError, redactFields, redactText } from '../../src/model/redact.js'

const S = '5ecret'

describe('text for people', () => {
  it.each([
    [`redis://:${S}@host:6379/0`, 'redis://***@host:6379/0'],
    [`redis://user-${S}:${S}@host`, 'redis://***@host'],
    [`rediss://u:${S}@[::1]:6380`, 'rediss://***@[::1]:6380'],
    [
      `redis+sentinel://u:${S}@a:1,b:2/main/0?sentinelPassword=${S}`,
      'redis+sentinel://***@a:1,b:2/main/0?sentinelPassword=***',
    ],
    [
      `rediss+sentinel://a:1/main?sentinelUsername=${S}&sentinelPassword=${S}`,
      'rediss+sentinel://a:1/main?sentinelUsername=***&sentinelPassword=***',
    ],
    [`redis+cluster://u:${S}@a:1,b:2`, 'redis+cluster://***@a:1,b:2'],
    [`redis://u:${S}@a:1,redis://u:${S}@b:2`, 'redis://***@a:1,redis://***@b:2'],
    [`redis://host?password=${S}&db=1`, 'redis://host?password=***&db=1'],
    [`redis://u:p/${S}@${S}#${S}@host:6379`, 'redis://***@host:6379'],
    [`/run/redis.sock?password=${S}`, '/run/redis.sock?password=***'],
    [`connect to redis://u:${S}@host failed`, 'connect to redis://***@host failed'],
    [`https://u:${S}@host/a@b?x=1`, 'https://***@host/a@b?x=1'],
    [`https://host/p?deep=1&api_key=${S}#x`, 'https://host/p?deep=1&api_key=***#x'],
    ['https://host/p?token=${env:TOKEN}', 'https://host/p?token=${env:TOKEN}'],
    [`{"host":"h","password":"${S}\\"${S}"}`, '{"host":"h","password":"***"}'],
    [`{ username: '${S}', sentinelPassword: '${S}' }`, `{ username: '***', sentinelPassword: '***' }`],
    [`Invalid value "Bearer ${S}.abc"`, 'Invalid value "Bearer ***"'],
    [
      `ERR unknown command 'auth', with args beginning with: '${S}' `,
      "ERR unknown command 'auth', with args beginning with: ***",
    ],
    ['no answer within 200 ms', 'no answer within 200 ms'],
    ['connect ECONNREFUSED 127.0.0.1:6379', 'connect ECONNREFUSED 127.0.0.1:6379'],
  ])('%s', (text, shown) => {
    expect(redactText(text)).toBe(shown)
    expect(redactText(shown)).toBe(shown)
  })
})

/** Whatever a logger or a person may print of it. */
const all = (value: unknown): string =>
  inspect(value, { depth: Infinity, showHidden: true, maxStringLength: Infinity })

describe('an error for people', () => {
  class ReplyError extends Error {
    override readonly name = 'ReplyError'
  }
  const reply = () =>
    Object.assign(new ReplyError('WRONGPASS invalid username-password pair'), {
      command: { name: 'auth', args: ['user', S] },
    })

  it('keeps class, code and the name of the command, and loses its arguments', () => {
    const shown = redactError(Object.assign(reply(), { code: 'E' }))
    expect(shown).toBeInstanceOf(ReplyError)
    expect(shown).toMatchObject({ name: 'ReplyError', code: 'E', command: { name: 'auth' } })
    expect(shown.message).toBe('WRONGPASS invalid username-password pair')
    expect(all(shown)).not.toContain(S)
  })

  it.each([
    ['cause', () => new Error('outer', { cause: new Error('middle', { cause: reply() }) })],
    ['errors', () => new AggregateError([reply(), new Error(`redis://:${S}@h`)], 'several')],
    ['lastNodeError', () => Object.assign(new Error('Failed to refresh slots'), { lastNodeError: reply() })],
    ['previousErrors', () => Object.assign(new Error('EXECABORT'), { previousErrors: [reply()] })],
  ])('the same within its %s', (field, make) => {
    const shown = redactError<Error>(make())
    expect(all(shown)).toContain('WRONGPASS')
    expect(all(shown)).not.toContain(S)
    expect(field in shown).toBe(true)
  })

  it('shows neither the request, the options nor the headers that a client hangs on it', () => {
    const error = Object.assign(new Error('Request failed'), {
      config: { headers: { authorization: `Bearer ${S}` } },
      options: { password: S },
      password: S,
      status: 401,
    })
    const shown = redactError(error)
    expect(shown).toMatchObject({ status: 401, password: '***' })
    expect(all(shown)).not.toContain(S)
    expect(all(error)).toContain(S)
  })

  it('is none of the original, and survives a cycle, a proxy and a getter that throws', () => {
    const cycle = new Error('round')
    cycle.cause = cycle
    const shown = redactError(cycle)
    expect(shown).not.toBe(cycle)
    expect(shown.cause).toBe(shown)
    const broken = new Proxy(new Error('x'), {
      get: () => {
        throw new Error(S)
      },
    })
    expect(redactError<unknown>(broken)).toBe('[unreadable]')
    expect(redactError<unknown>(`redis://:${S}@h`)).toBe('redis://***@h')
  })

  it('fields of a log: values by their names, and texts, at any depth', () => {
    const fields = {
      err: reply(),
      redis: `redis://:${S}@h`,
      deep: { list: [{ apiKey: S, n: 1 }] },
      outcomes: 3,
    }
    const shown = redactFields(fields)
    expect(shown).toMatchObject({
      redis: 'redis://***@h',
      deep: { list: [{ apiKey: '***', n: 1 }] },
      outcomes: 3,
    })
    expect(all(shown)).not.toContain(S)
  })
})
