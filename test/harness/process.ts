import { readFileSync } from 'node:fs'

/** Whether a process with this pid runs; one that has ended but is not reaped yet does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z'
  } catch {
    return process.platform !== 'linux' // no /proc elsewhere; on Linux it went away between the two looks
  }
}
