import { expect, it, onTestFinished } from 'vitest'
import { checkDomains, looksLikePod } from '../../src/cli/doctor/domains.js'
import { worst } from '../../src/cli/doctor/finding.js'
import type { Inspection, SettingsInput } from '../../src/index.js'
import { createTestBusbar } from '../../src/testing.js'
import { readView } from '../../src/view/provider-view.js'

const QUORUM = { breaker: { quorum: 2 } }
const PODS = ['api-7d4b9c6f5d-x2x7k', 'api-7d4b9c6f5d-kq9vz', '3f2a9c41be07']

/** What the doctor finds where a process of each domain is live; null: an older version says none. */
async function found(domains: readonly (string | null)[], settings: SettingsInput, lastSeenAgoMs = 0) {
  const busbar = createTestBusbar()
  onTestFinished(() => busbar.close())
  const views = await Promise.all(
    ['a', 'b'].map(async (id) => readView(await busbar.provider(id, id === 'a' ? settings : QUORUM))),
  )
  const workers = domains.map((domain, at) => ({ id: `worker-${at}`, lastSeenAgoMs, domain }))
  // The checks read the processes alone.
  return checkDomains({ workers } as unknown as Inspection, views)
}

it('from three live domains on a quorum is advised, in a note', async () => {
  const [note, ...more] = await found(['node-1', 'node-2', 'node-3', 'node-3'], {})
  expect(more).toEqual([])
  expect(note).toMatchObject({
    level: 'note',
    check: 'failure domains',
    found: '3 live, and a opens by the failures of one alone',
  })
  expect(note?.advice).toBe('From three domains on: quorum 2, failureThreshold 10, failureRate 0.5.')
})

it.each([
  ['two domains', ['node-1', 'node-2', 'node-2'], 0],
  ['processes of older versions', [null, null, null, null], 0],
  ['processes that are gone', ['node-1', 'node-2', 'node-3'], 75_001],
])('no quorum is advised for %s', async (_, domains, lastSeenAgoMs) => {
  expect(await found(domains, {}, lastSeenAgoMs)).toEqual([])
})

it('none is advised where every provider has one', async () => {
  expect(await found(['node-1', 'node-2', 'node-3'], QUORUM)).toEqual([])
})

it('a quorum of pods is warned of, until they name their nodes', async () => {
  const findings = await found(PODS, QUORUM)
  expect(worst(findings)).toBe('warn')
  expect(findings[0]?.found).toBe(`each of 3 has one process, and the names look like pods: ${PODS[0]}`)
  expect(findings[0]?.advice).toContain('BUSBAR_FAILURE_DOMAIN')
  expect(await found([...PODS, PODS[0] ?? ''], QUORUM)).toEqual([])
  expect(await found([...PODS, 'node-1'], QUORUM)).toEqual([])
})

it.each([
  ['api-7d4b9c6f5d-x2x7k', true],
  ['api-1234567890-kq9vz', true],
  ['3f2a9c41be07', true],
  ['node-3', false],
  ['api-0', false],
  ['ip-10-0-3-17.eu-west-1.compute.internal', false],
  ['gke-prod-default-pool-1a2b3c4d-x7kq', false],
  ['aks-nodepool1-12345678-vmss000002', false],
  ['pool-kzy61l24q-yq5d7', false],
])('%s looks like a pod: %s', (domain, pod) => {
  expect(looksLikePod(domain)).toBe(pod)
})
