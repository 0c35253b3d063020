import { randomUUID } from 'node:crypto'
import { checkAlerts } from '../config/alerts.js'
import type { AlertOptions } from '../model/alerts.js'
import { ArgumentError } from '../model/errors.js'
import { destinationOf } from './destination.js'
import { testBodyOf } from './message.js'
import { isDelivered, post, wordsOf } from './post.js'

export interface TestReport {
  readonly hook: string
  readonly delivery: string
  readonly delivered: boolean
  /** `HTTP 200`, `timeout after 10000 ms`, `ECONNREFUSED`. */
  readonly result: string
  /** The beginning of the answer, cleaned: 200 characters at most; empty when there was none. */
  readonly answer: string
  readonly elapsedMs: number
}

/** In the place of the worker's name, in the user agent. */
const TEST_WORKER = 'test'

/** Sends a test message to one hook, once. Needs no Redis. @throws ArgumentError */
export async function sendTest(name: string, given: AlertOptions, namespace: string): Promise<TestReport> {
  const { hooks } = checkAlerts(given)
  const hook = hooks.get(name)
  if (hook === undefined) {
    const known = [...hooks.keys()].join(', ')
    throw new ArgumentError(
      `alerts.hooks.${name}`,
      `alerts.hooks.${name}: there is no such hook; known: ${known}`,
    )
  }
  const delivery = randomUUID()
  const body = testBodyOf({ hook: name, kind: hook.kind, namespace, delivery })
  const end = await post(destinationOf(name, hook), { delivery, body }, TEST_WORKER)
  const answer = end.kind === 'answered' ? end.excerpt : ''
  return {
    ...{ hook: name, delivery, delivered: isDelivered(end) },
    ...{ result: wordsOf(end), answer, elapsedMs: end.elapsedMs },
  }
}
