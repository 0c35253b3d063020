import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What takes longest, in this order: begun last, one of them would run alone at the end, on one core. */
const LONGEST = [
  'browser/sample',
  'browser/fleet',
  'cli/start',
  'property/lua-agrees-with-rules',
  'integration/secrets',
  'integration/recovery',
  'cli/pipes',
  'cli/processes',
  'integration/quiet-connections',
  'integration/groups.long',
  'integration/groups',
  'integration/client-examples',
  'integration/bullmq',
  'integration/family',
  'integration/family.long',
  'unit/order-rule',
  'unit/deadlines',
  'faults/probe-fleet.long',
  'faults/probe-kills.long',
  'faults/dropped-flows.long',
  'faults/bullmq.long',
  'faults/judgement.long',
  'faults/probe-fleet',
  'faults/refused-writes',
  'faults/outbox',
  'faults/judgement',
  'faults/bullmq',
  'faults/redis-frozen',
  'faults/failover',
  'faults/dropped-flows',
  'faults/lost-redis',
  'faults/replay',
  'faults/outage-log',
]

/** Vitest would know it from an earlier run; a fresh clone has none. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const order = ({ project }: TestSpecification) => project.config.sequence.groupOrder
    const sorted = await super.sort(files)
    return sorted.sort((a, b) => order(a) - order(b) || rank(a) - rank(b))
  }
}

/** Those that are not named stay behind them, as they were. */
function rank({ moduleId }: TestSpecification): number {
  const place = LONGEST.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`))
  return place === -1 ? LONGEST.length : place
}
