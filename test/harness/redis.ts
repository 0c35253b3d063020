import { randomBytes } from 'node:crypto'

import { inject } from 'vitest'

/** The Redis of this run. Shared by all tests, so: own namespace, no flushall. Faults start a private one. */
export function redisUrl(): string {
  return inject('redisUrl')
}

let counter = 0

/** A namespace that no other test has, in this run or another on the same server. */
export function testNamespace(): string {
  counter += 1
  return `test-${process.pid}-${counter}-${randomBytes(4).toString('hex')}`
}
