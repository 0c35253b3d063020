import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { OutageLog } from '../../src/client/outage/outage-log.js'
import { SYSTEM_TIME } from '../../src/client/shared/time.js'
import { RedisUnavailableError } from '../../src/model/errors.js'
import { BEGAN, ENDED, keepLines, LOCKED_OUT } from '../harness/log-lines.js'

const gone = (words = 'connect ECONNREFUSED') => new RedisUnavailableError('a command', new Error(words))
const lockedOut = () => new RedisUnavailableError('a connection', new Error('WRONGPASS'), 'permanent', true)
const refused = () => new RedisUnavailableError('record one', new Error('NOPERM'), 'permanent')

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function setUp() {
  const said = keepLines()
  return {
    said,
    log: new OutageLog(said.logger, { ...SYSTEM_TIME, clock: { now: () => performance.now() } }),
  }
}

describe('the log of outages', () => {
  it('counts the lines of an outage by their message, those just before it included, whatever alternates', () => {
    const { said, log } = setUp()
    log.warn({ err: gone('read ECONNRESET') }, 'Redis connection error')
    log.lost(gone())
    for (let i = 0; i < 50; i += 1) {
      log.warn({ err: gone(`error ${i}`) }, i % 2 === 0 ? 'Redis connection error' : 'probe queue error')
      log.info({}, 'probe loop was gone: begun again')
      vi.advanceTimersByTime(1_000)
    }
    expect(said.words()).toEqual([BEGAN])
    log.restored()
    vi.advanceTimersByTime(10_000)
    expect(said.words()).toEqual([BEGAN, ENDED])
    expect(said.lines[1]?.fields).toEqual({
      outageMs: 50_000,
      suppressed: {
        'Redis connection error': 26,
        'probe queue error': 25,
        'probe loop was gone: begun again': 50,
      },
    })
  })

  it('says all of an outage that was short, and says it when it is closed', () => {
    const { said, log } = setUp()
    log.lost(gone())
    log.restored()
    log.stop()
    expect(said.words()).toEqual([BEGAN, ENDED])
    log.lost(gone())
    log.stop()
    expect(said.words()).toEqual([BEGAN, ENDED, BEGAN])
  })

  it('transitions and errors of the user pass; trouble of one provider waits for the end', () => {
    const { said, log } = setUp()
    log.lost(gone())
    vi.advanceTimersByTime(1_000)
    log.warn({ provider: 'one', reason: 'x', generation: 1 }, 'circuit opened')
    log.error({ err: new Error('of the user') }, 'classify failed')
    log.warn({ err: refused(), provider: 'one' }, 'refused')
    expect(said.words()).toEqual([BEGAN, 'warn circuit opened', 'error classify failed'])
    log.restored()
    vi.advanceTimersByTime(10_000)
    expect(said.words().slice(3)).toEqual([ENDED, 'warn refused'])
  })

  it('says that somebody has to do something, once, when that is found later', () => {
    const { said, log } = setUp()
    log.lost(gone())
    vi.advanceTimersByTime(5_000)
    for (let i = 0; i < 3; i += 1) log.warn({ err: lockedOut() }, 'Redis connection error')
    expect(said.words()).toEqual([BEGAN, LOCKED_OUT.replace(': deciding without it', '')])
  })

  it('without an outage logs the same error of a source once in 10 s, and how many there were', () => {
    const { said, log } = setUp()
    for (let i = 0; i < 12; i += 1) {
      log.warn({ err: gone(`words ${i}`) }, 'Redis connection error')
      vi.advanceTimersByTime(1_000)
    }
    expect(said.lines.map(({ fields }): unknown => Reflect.get(fields, 'suppressed'))).toEqual([undefined, 9])
  })

  it('a store that is lost again at once is the same outage', () => {
    const { said, log } = setUp()
    for (let i = 0; i < 4; i += 1) {
      log.lost(gone())
      vi.advanceTimersByTime(2_000)
      log.restored()
      vi.advanceTimersByTime(1_000)
    }
    vi.advanceTimersByTime(10_000)
    expect(said.words()).toEqual([BEGAN, ENDED])
    expect(said.lines[1]?.fields).toEqual({ outageMs: 11_000, flapped: 3 })
  })
})
