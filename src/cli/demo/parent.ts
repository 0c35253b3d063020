/**
 * Ties this process to the one that forked it. When the pipe between them closes (the parent let go, or is gone,
 * SIGKILL included) it stops in order, and after two seconds in any case. Ctrl-C reaches the whole group: it is
 * ignored here, because the parent ends its children in the right order.
 */
export function endWithParent(stop: () => Promise<unknown>): void {
  let ending = false
  const end = () => {
    if (ending) return
    ending = true
    setTimeout(() => process.exit(), 2_000)
    stop()
      .catch(() => undefined)
      .finally(() => process.exit())
  }
  process.on('SIGINT', () => undefined)
  process.on('SIGHUP', () => undefined)
  process.on('SIGTERM', end)
  process.on('disconnect', end)
  if (!process.connected) end() // the parent ended while this process started
}

export const tellParent = (message: unknown): void => {
  if (process.connected) process.send?.(message)
}
