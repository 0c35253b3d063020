export const SLOTS = 16_384

/** The slot of a Cluster that a hash tag comes to: CRC16 (XMODEM) of its bytes, as the Cluster specification has it. */
export function slotOf(tag: string): number {
  let crc = 0
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021
    crc &= 0xffff
  }
  return crc % SLOTS
}

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
