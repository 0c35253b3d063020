import { expect, it } from 'vitest'
import { failureDomainOf } from '../../src/client/shared/failure-domain.js'

it('the failure domain is what was given, else what the environment says, else the host', () => {
  const env = { BUSBAR_FAILURE_DOMAIN: 'rack-3' }
  expect(failureDomainOf('node-1', env, 'host')).toBe('node-1')
  expect(failureDomainOf(undefined, env, 'host')).toBe('rack-3')
  expect(failureDomainOf(undefined, { BUSBAR_FAILURE_DOMAIN: '' }, 'my host')).toBe('my-host')
  expect(() => failureDomainOf(undefined, { BUSBAR_FAILURE_DOMAIN: 'a b' }, 'host')).toThrow(
    'BUSBAR_FAILURE_DOMAIN: expected 1 to 128 characters of A-Z a-z 0-9 . _ : / @ -, got "a b"',
  )
})
