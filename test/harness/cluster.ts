import { Cluster, Redis } from 'ioredis'
import { startRedis, type EmbeddedRedis } from '../../src/embedded/index.js'
import { SLOTS, slotOf } from '../../src/redis/hash-slot.js'
import { eventually } from './eventually.mjs'

export interface TestNode {
  readonly server: EmbeddedRedis
  readonly admin: Redis
  readonly id: string
}

/** A Cluster of real servers on this machine: three masters, each with a replica. */
export interface TestCluster {
  readonly masters: readonly TestNode[]
  readonly replicas: readonly TestNode[]
  /** Addresses of all of them, as `connect` takes them. */
  readonly addresses: string[]
  /** `redis+cluster://...` */
  readonly url: string
  /** A client of the tests' own. */
  readonly client: Cluster
  /** The node that serves a slot now, by its own word. */
  ownerOf(slot: number): Promise<TestNode>
  /** Moves a slot with its keys to another master, as redis-cli --cluster reshard does. */
  moveSlot(slot: number, to: TestNode): Promise<void>
  readonly keys: (pattern: string) => Promise<string[]>
  stop(): Promise<void>
}

const MASTERS = 3
const NODE_TIMEOUT_MS = 1_000

/** The port of a node's bus, 10 000 above by itself, is out of range for the high ports that are free. */
async function startNode(): Promise<EmbeddedRedis> {
  const args = (bus: string[]) => [
    ...['--cluster-enabled', 'yes', '--cluster-node-timeout', `${NODE_TIMEOUT_MS}`],
    ...[
      '--cluster-config-file',
      'nodes.conf',
      '--cluster-replica-validity-factor',
      '0',
      '--repl-diskless-sync-delay',
      '0',
    ],
    ...bus,
  ]
  for (let attempt = 0; ; attempt += 1) {
    const [port, bus] = [randomPort(), randomPort()]
    try {
      return await startRedis({ port, args: args(['--cluster-port', `${bus}`]) })
    } catch (error) {
      if (attempt === 20) throw error // taken; a few in a row can be
    }
  }
}

/** Below the range that the system gives to outgoing connections. */
const randomPort = (): number => 12_000 + Math.floor(Math.random() * 20_000)

export async function startCluster(): Promise<TestCluster> {
  const nodes = await Promise.all(
    Array.from({ length: 2 * MASTERS }, async (): Promise<TestNode> => {
      const server = await startNode()
      const admin = new Redis(server.url, { retryStrategy: () => null })
      admin.on('error', () => undefined)
      return { server, admin, id: String(await admin.call('CLUSTER', 'MYID')) }
    }),
  )
  const [masters, replicas] = [nodes.slice(0, MASTERS), nodes.slice(MASTERS)]
  const addresses = nodes.map(({ server }) => server.url)
  const client = new Cluster(
    nodes.map(({ server: { port } }) => ({ host: '127.0.0.1', port })),
    { lazyConnect: true },
  )
  client.on('error', () => undefined)
  const stop = async () => {
    client.disconnect()
    for (const { admin } of nodes) admin.disconnect()
    await Promise.all(nodes.map(({ server }) => server.stop()))
  }
  try {
    await form(masters, replicas)
    await client.connect()
  } catch (error) {
    await stop()
    throw error
  }
  const alive = () => nodes.filter(({ admin }) => admin.status === 'ready')
  const ownerOf = async (slot: number): Promise<TestNode> => {
    for (const node of alive()) {
      const slots = (await node.admin.call('CLUSTER', 'SLOTS')) as [
        number,
        number,
        [string, number, string],
      ][]
      const range = slots.find(([first, last]) => first <= slot && slot <= last)
      const owner = nodes.find(({ id }) => id === range?.[2][2])
      if (owner !== undefined) return owner
    }
    throw new Error(`nobody serves slot ${slot}`)
  }
  const moveSlot = async (slot: number, to: TestNode) => {
    const from = await ownerOf(slot)
    await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id)
    await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id)
    for (;;) {
      const keys = (await from.admin.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[]
      if (keys.length === 0) break
      await from.admin.call('MIGRATE', '127.0.0.1', to.server.port, '', 0, 5_000, 'KEYS', ...keys)
    }
    await to.admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id)
    for (const { admin } of alive())
      await admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id).catch(() => undefined)
    // The next move before all have heard of this one could give its node the same epoch: then two nodes keep naming each
    // other, and no client can settle that.
    await eventually(async () => {
      const epochs = await Promise.all(alive().map(({ admin }) => epochOf(admin, to.id)))
      return new Set(epochs).size === 1
    }, 'every node knows the epoch of the new owner')
  }
  const keys = async (pattern: string) =>
    (await Promise.all(client.nodes('master').map((node) => node.keys(pattern)))).flat()
  const url = `redis+cluster://${nodes.map(({ server }) => `127.0.0.1:${server.port}`).join(',')}`
  return { masters, replicas, addresses, url, client, ownerOf, moveSlot, keys, stop }
}

/** The config epoch of a node as another one knows it. */
async function epochOf(admin: TestNode['admin'], id: string): Promise<string> {
  const lines = String(await admin.call('CLUSTER', 'NODES')).split('\n')
  return lines.find((line) => line.startsWith(id))?.split(' ')[6] ?? ''
}

async function form(masters: readonly TestNode[], replicas: readonly TestNode[]): Promise<void> {
  const nodes = [...masters, ...replicas]
  const [first] = nodes
  const bus = async ({ admin, server }: TestNode) => {
    const [, port] = (await admin.config('GET', 'cluster-port')) as [string, string]
    return [server.port, Number(port)] as const
  }
  for (const node of nodes.slice(1)) {
    const [port, busPort] = await bus(node)
    await first?.admin.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort)
  }
  for (const [i, { admin }] of masters.entries()) {
    const from = Math.floor((SLOTS * i) / MASTERS)
    const to = Math.floor((SLOTS * (i + 1)) / MASTERS) - 1
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', from, to)
    await admin.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1).catch(() => undefined)
  }
  await eventually(async () => {
    const known = await Promise.all(nodes.map(({ admin }) => admin.call('CLUSTER', 'NODES').then(String)))
    return known.every((text) => text.trim().split('\n').length === nodes.length && !/handshake/.test(text))
  }, 'all nodes know each other')
  for (const [i, { admin }] of replicas.entries()) {
    await admin.call('CLUSTER', 'REPLICATE', masters[i]?.id ?? '')
  }
  await eventually(async () => {
    const states = await Promise.all(nodes.map(({ admin }) => admin.call('CLUSTER', 'INFO').then(String)))
    const links = await Promise.all(replicas.map(({ admin }) => admin.info('replication')))
    return (
      states.every((text) => text.includes('cluster_state:ok')) &&
      links.every((text) => text.includes('master_link_status:up'))
    )
  }, 'the Cluster serves all slots, and every replica follows')
  // Every node is to name the replicas too: ioredis asks any of them.
  await eventually(async () => {
    const slots = await Promise.all(nodes.map(({ admin }) => admin.call('CLUSTER', 'SLOTS')))
    return slots.every((ranges) => (ranges as unknown[][]).every((range) => range.length === 4))
  }, 'all nodes list the replicas')
}

export { slotOf }
