import { describe, it } from 'vitest'
import { onQuietMachine } from '../harness/machine.js'
import { expectPeriodDespiteClocks } from './probe-fleet-runs.js'

describe('a worker whose time of day is an hour off', () => {
  it.for(['3600', '-3600'])(
    '%s s: the period is kept beside three others, and after it is killed',
    (off, context) => onQuietMachine(context, () => expectPeriodDespiteClocks(off)),
  )

  it.for(['3600', '-3600'])('%s s: it is kept where Redis is not asked before a probe', (off, context) =>
    onQuietMachine(context, () => expectPeriodDespiteClocks(off, '--timeout', '150')),
  )
})
