/** Does `work` for each of `items`, `atOnce` of them at a time. Begins no more after one has failed, and rejects with that. */
export async function forEachLimit<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0
  let failed = false
  const worker = async (): Promise<void> => {
    while (!failed) {
      const item = items[next]
      next += 1
      if (item === undefined) return
      try {
        await work(item)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
}
