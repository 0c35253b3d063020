/** Upper bounds of the buckets, ms: from a command of Redis to a slow answer of a model. */
export const DURATION_BOUNDS_MS = [
  0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000,
] as const

/** Durations of one kind, by buckets. O(1) in memory. */
export class DurationMeter {
  count = 0
  sumMs = 0
  /** Of each bound: durations up to it, and longer than the bound before. */
  readonly buckets: number[] = DURATION_BOUNDS_MS.map(() => 0)

  /** `weight`: how many durations it stands for. A clock that is a little ahead gives less than 0, which is none. */
  add(ms: number, weight = 1): void {
    const duration = Math.max(0, ms)
    this.count += weight
    this.sumMs += duration * weight
    const bucket = DURATION_BOUNDS_MS.findIndex((bound) => duration <= bound)
    if (bucket !== -1) this.buckets[bucket] = (this.buckets[bucket] ?? 0) + weight
  }
}
