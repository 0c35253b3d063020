import keySlot from 'cluster-key-slot'

export const SLOTS = 16_384

/**
 * The slot of a Cluster that a hash tag comes to. It is asked for as a key with that tag, because a tag may itself hold a
 * brace; without a tag there is nothing to ask for.
 */
export const slotOf = (tag: string): number => (tag === '' ? 0 : keySlot(`{${tag}}`))

/**
 * The prefix of each shard of a fleet's probes. A shard is one slot of a Cluster, so the tags of several are chosen by the
 * slots that they come to: each shard has its own part of the slots, and masters that share the slots share the shards.
 */
export function shardPrefixes(namespace: string, count: number): string[] {
  if (count === 1) return [`{${namespace}}`]
  return Array.from({ length: count }, (_, shard) => {
    for (let i = 0; ; i += 1) {
      const tag = `${namespace}:${i}`
      if (Math.floor((slotOf(tag) * count) / SLOTS) === shard) return `{${tag}}`
    }
  })
}

/** Which of so many shards a provider belongs to. */
export const shardOf = (id: string, count: number): number => slotOf(id) % count
