// One setup at a time per checkout: two `npm test` at once must not both run `npm ci` in the same folder.
import { execFileSync } from 'node:child_process'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const pollMs = 100

/** A takeover is a few system calls; one this old belongs to a process that died in the middle of it. */
const takeoverLimitMs = 10_000

/**
 * Runs `work` while this process holds the lock, a file with the holder's identity. Waits for a living holder, and
 * says so once; takes over from a dead one.
 */
export async function withLock(file, log, work) {
  mkdirSync(dirname(file), { recursive: true })
  let said = false
  while (!tryLock(file)) {
    if (takeOver(file)) continue
    if (!said) log(`waiting for another setup in this folder (pid ${holderOf(file)?.pid ?? 'unknown'})`)
    said = true
    await sleep(pollMs)
  }
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}

/** Linking a finished file is atomic: nobody ever sees a lock without its holder's name. */
function tryLock(file) {
  const own = `${file}.${process.pid}`
  writeFileSync(own, JSON.stringify({ pid: process.pid, born: birthOf(process.pid) }))
  try {
    linkSync(own, file)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(own, { force: true })
  }
}

/**
 * Removes a dead holder's lock; true if the lock may be tried again at once. Only one process at a time may look
 * and remove, else a slow one would remove the lock that a quick one took after the same look.
 */
export function takeOver(file) {
  const guard = `${file}.takeover`
  if (!isDead(holderOf(file))) return !existsSync(file)
  try {
    mkdirSync(guard)
  } catch {
    if (ageMs(guard) > takeoverLimitMs) rmSync(guard, { recursive: true, force: true })
    return false
  }
  try {
    if (isDead(holderOf(file))) rmSync(file, { force: true })
    return true
  } finally {
    rmSync(guard, { recursive: true, force: true })
  }
}

/** `undefined` when there is no lock. One that cannot be read, on a full disk say, has a holder nobody can name. */
function holderOf(file) {
  if (!existsSync(file)) return undefined
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    return error.code === 'ENOENT' ? undefined : {}
  }
}

/** A pid alone is not enough: after a restart, or in a container, somebody else bears it. */
function isDead(holder) {
  if (holder === undefined) return false
  const born = birthOf(holder.pid)
  return born === undefined || born !== holder.born
}

/** When this process started, in whatever unit the system has; undefined when there is no such process. */
export function birthOf(pid) {
  if (process.platform !== 'linux') return psBirth(pid)
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z') return undefined
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fields[19]}`
  } catch {
    return undefined
  }
}

function psBirth(pid) {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', `${pid}`], { encoding: 'utf8' }).trim()
  } catch {
    return undefined // ps fails when there is no such process
  }
}

function ageMs(path) {
  try {
    return Date.now() - statSync(path).mtimeMs
  } catch {
    return 0
  }
}
