/** Numbers from 0 to 1, the same for the same seed and name (mulberry32, public domain). */
export function randomOf(seed: number, name: string): () => number {
  let state = hash(`${seed}/${name}`)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let sum = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193)
  return sum | 0
}

/** A draw of an exponential distribution with this mean. */
export const exponential = (mean: number, random: () => number): number => -Math.log(1 - random()) * mean
