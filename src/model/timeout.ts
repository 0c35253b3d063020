/** The part of a process's timers that a wait needs. */
interface Timers {
  readonly set: (ms: number, fire: () => void) => { readonly clear: () => void }
}

const NODE_TIMERS: Timers = {
  set: (ms, fire) => {
    const timer = setTimeout(fire, ms)
    return { clear: () => clearTimeout(timer) }
  },
}

/**
 * The end of `work`, or what `late` returns or throws once `timeoutMs` have passed. Then `work` goes on, and its end is
 * dropped.
 */
export async function withTimeout<T, L>(
  work: Promise<T>,
  timeoutMs: number,
  late: () => L,
  timers: Timers = NODE_TIMERS,
): Promise<T | L> {
  let timer: ReturnType<Timers['set']> | undefined
  const passed = new Promise<void>((resolve) => {
    timer = timers.set(timeoutMs, resolve)
  })
  try {
    return await Promise.race([work, passed.then(late)])
  } finally {
    timer?.clear()
  }
}
