import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { connect, type ProviderEvent, type SettingsInput } from '../../src/index.js'
import { startRedis } from '../../src/embedded/index.js'
import { createHandler } from '../../src/http/index.js'
import { eventually } from '../harness/eventually.mjs'
import { startHttpProxy } from '../harness/http-proxy.js'
import { startUpstream } from '../harness/http-upstream.js'
import { forkWorker, type Worker } from '../harness/workers/fork.mjs'

/** What `judged.mjs` counted of one provider. */
interface Lane {
  readonly calls: number
  readonly failed: number
  readonly refused: Readonly<Record<string, number>>
}
interface Actions {
  start(): void
  fault(faults: Readonly<Record<string, 'all' | number | null>>): void
  seen(): Readonly<Record<string, Lane>>
  stop(): void
}

const PROCESSES = 10
const PAUSE_MS = 100
export const COOLDOWN_MS = 4_000
/** What is advised from three domains on. */
const RULES = { failureThreshold: 10, failureRate: 0.5, cooldownMs: COOLDOWN_MS }
const BACKGROUND = 0.01

const quorum: SettingsInput = { breaker: { ...RULES, quorum: 2 } }
const alone: SettingsInput = { breaker: RULES }

/** The providers of the fleet, one for each case, with the processes that fail (by number) while the fault lasts. */
const CASES = {
  egress: { settings: quorum, bad: [0] },
  rack: { settings: quorum, bad: [0, 1, 2, 3] },
  'one-of-rack': { settings: quorum, bad: [0] },
  deploy: { settings: quorum, bad: [] },
  'no-quorum': { settings: { breaker: { ...RULES, failureThreshold: 3 } }, bad: [0, 1, 2, 3] },
  dead: { settings: quorum, bad: Array.from({ length: PROCESSES }, (_, i) => i) },
  'dead-alone': { settings: alone, bad: Array.from({ length: PROCESSES }, (_, i) => i) },
  pair: { settings: quorum, bad: [0] },
  single: { settings: quorum, bad: [0] },
  restarting: { settings: quorum, bad: [] },
} as const satisfies Record<string, { readonly settings: SettingsInput; readonly bad: readonly number[] }>
export type Case = keyof typeof CASES
const IDS = Object.keys(CASES) as Case[] // the names of the literal above

/** One rack of four processes; all others are machines of their own. */
const domainOf = (id: string, i: number): string =>
  (id === 'rack' || id === 'one-of-rack') && i < 4 ? 'rack' : `node-${i}`
const takesPart = (id: string, i: number): boolean =>
  id === 'pair' ? i < 2 : id === 'single' ? i === 0 : true
/** Two of ten were deployed bad: they have never had a success. */
const isBadFromTheStart = (id: string, i: number): boolean => id === 'deploy' && i >= 8

interface MatrixAnswer {
  readonly sentences: readonly string[]
  readonly workers: readonly { readonly id: string; readonly verdict: string }[]
  readonly providers: readonly { readonly id: string; readonly verdict: string }[]
}

export interface Report {
  readonly events: readonly (ProviderEvent & { readonly afterMs: number })[]
  /** Sum of what the processes saw since the fault began, and of the first alone. */
  readonly first: Readonly<Record<string, Lane>>
  readonly states: Readonly<Record<string, string>>
  readonly suspects: Readonly<Record<string, readonly string[]>>
  readonly explained: string
  /** What a viewer of workers x providers is told, as `api/matrix` says it. */
  readonly matrix: MatrixAnswer
  readonly mendedAtMs: number
}

/** A real fleet of ten processes with a fault that lasts so long, and its mending. Times count from the fault's begin. */
export async function runFleet(faultMs: number): Promise<Report> {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const namespace = 'judged'
  const upstream = await startUpstream((_, response) => {
    response.writeHead(Math.random() < BACKGROUND ? 503 : 200).end('ok')
  })
  const [proxy, broken] = await Promise.all([startHttpProxy(), startHttpProxy()])
  const fork = async (i: number, ids: readonly string[], fault?: 'all') => {
    const taken = ids.filter((id) => takesPart(id, i))
    const providers = Object.fromEntries(
      taken.map((id) => {
        const via = id === 'egress' ? { proxy: (i === 0 ? broken : proxy).url, upstream: upstream.url } : {}
        const own = fault ?? (isBadFromTheStart(id, i) ? 'all' : id === 'egress' ? null : BACKGROUND)
        return [id, { settings: CASES[id as Case].settings, fault: own, ...via }]
      }),
    )
    const domains = Object.fromEntries(taken.map((id) => [id, domainOf(id, i)]))
    const job = { redis: server.url, namespace, workerId: `worker-${i}`, id: '', source: {} }
    const extra = { domains, providers, pauseMs: PAUSE_MS }
    const worker = await forkWorker<Actions>('judged', { ...job, extra })
    onTestFinished(() => worker.kill())
    await worker.ask('start')
    return worker
  }
  const busbar = await connect({ redis: server.url, namespace, logger: false, commandTimeoutMs: 5_000 })
  onTestFinished(() => busbar.close())
  const events: (ProviderEvent & { afterMs: number })[] = []
  let began = performance.now()
  const note = (event: ProviderEvent) => events.push({ ...event, afterMs: performance.now() - began })
  for (const kind of ['opened', 'closed', 'worker_suspected', 'worker_cleared'] as const)
    busbar.on(kind, note)
  const workers: Worker<Actions>[] = []
  workers.push(...(await Promise.all(Array.from({ length: PROCESSES }, (_, i) => fork(i, IDS)))))
  const handler = createHandler(busbar, { authorize: 'anyone' })
  const look = async () => {
    const answer = await handler(new Request('http://localhost/api/matrix'))
    return (await answer.json()) as MatrixAnswer // of the handler above
  }
  await look()
  // Each has had a success, but those that were deployed bad.
  await sleep(2_500)
  const before = await workers[0]?.ask('seen')
  // What those that were deployed bad brought about came before.
  events.length = 0
  began = performance.now()
  broken.refuse('close')
  await Promise.all(workers.map((worker, i) => worker.ask('fault', faultsOf(i))))
  await restartEvery3s(faultMs, async () => {
    await look()
    return fork(PROCESSES, ['restarting'], 'all')
  })
  const matrix = await look()
  const handles = await Promise.all(IDS.map((id) => busbar.provider(id, CASES[id].settings)))
  const snapshots = await Promise.all(handles.map((handle) => handle.snapshot()))
  const after = await workers[0]?.ask('seen')
  const explained = await explainOf(server.url, namespace)
  const mendedAtMs = performance.now() - began
  broken.refuse(undefined)
  await Promise.all(
    workers.map((worker) => worker.ask('fault', Object.fromEntries(IDS.map((id) => [id, null])))),
  )
  const cleared = () =>
    events.some(({ kind, providerId }) => kind === 'worker_cleared' && providerId === 'egress')
  for (let waited = 0; waited < 60_000 && !cleared(); waited += 50) await sleep(50)
  await Promise.all(workers.map((worker) => worker.ask('stop')))
  return {
    events,
    first: difference(before ?? {}, after ?? {}),
    states: Object.fromEntries(snapshots.map(({ id, state }) => [id, state])),
    suspects: Object.fromEntries(
      snapshots.map(({ id, suspects }) => [id, suspects.map(({ worker }) => worker)]),
    ),
    explained,
    matrix,
    mendedAtMs,
  }
}

const faultsOf = (i: number): Record<string, 'all'> =>
  Object.fromEntries(
    IDS.filter((id) => (CASES[id].bad as readonly number[]).includes(i)).map((id) => [id, 'all' as const]),
  )

/** A bad process that is killed and comes back under a new life, as by an orchestrator. */
async function restartEvery3s(forMs: number, start: () => Promise<Worker<Actions>>): Promise<void> {
  const until = performance.now() + forMs
  while (performance.now() < until) {
    const worker = await start()
    await sleep(Math.max(0, Math.min(3_000, until - performance.now())))
    await worker.kill()
  }
}

function difference(
  before: Readonly<Record<string, Lane>>,
  after: Readonly<Record<string, Lane>>,
): Record<string, Lane> {
  return Object.fromEntries(
    Object.entries(after).map(([id, lane]) => {
      const { calls = 0, failed = 0 } = before[id] ?? {}
      return [id, { calls: lane.calls - calls, failed: lane.failed - failed, refused: lane.refused }]
    }),
  )
}

async function explainOf(url: string, namespace: string): Promise<string> {
  const { runCli } = await import('../harness/cli.js')
  const at = ['--redis', url, '--namespace', namespace]
  const said: string[] = []
  for (const command of [['explain', 'egress'], ['doctor']])
    await eventually(
      async () => {
        const { stdout, stderr } = await runCli([...command, ...at])
        said.push(stdout)
        if (stdout === '') throw new Error(stderr) // it gives up on a Redis that does not answer within a second
      },
      { what: `busbar ${command.join(' ')} answers`, timeoutMs: 60_000 },
    )
  return said.join('\n')
}
