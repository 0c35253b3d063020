import { describe, expect, it } from 'vitest'
import { shardPrefixes, SLOTS, slotOf } from '../../src/redis/hash-slot.js'

describe('the slot of a hash tag', () => {
  it('is the CRC16 that the Cluster specification gives as its example', () => {
    expect(slotOf('123456789')).toBe(0x31c3)
  })

  it.each([
    ['', 0],
    // As CLUSTER KEYSLOT answers.
    ['foo', 12_182],
    ['bar', 5_061],
    ['a', 15_495],
  ])('of %j is %i', (tag, slot) => {
    expect(slotOf(tag)).toBe(slot)
  })
})

describe('the prefixes of the shards', () => {
  it('are the namespace alone where there is one shard', () => {
    expect(shardPrefixes('busbar', 1)).toEqual(['{busbar}'])
  })

  it.each([2, 3, 16, 64])('are one for each of %i slices of the slots', (count) => {
    const prefixes = shardPrefixes('busbar', count)
    const slices = prefixes.map((prefix) => Math.floor((slotOf(prefix.slice(1, -1)) * count) / SLOTS))
    expect(slices).toEqual(Array.from({ length: count }, (_, i) => i))
  })

  it('are the same in every process, and carry the namespace', () => {
    expect(shardPrefixes('team/eu', 4)).toEqual(shardPrefixes('team/eu', 4))
    for (const prefix of shardPrefixes('team/eu', 4)) expect(prefix).toMatch(/^\{team\/eu:\d+\}$/)
  })
})
