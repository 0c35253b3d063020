import { mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * `.busbar/url` in the folder where `busbar start` runs, so that a second terminal there can join. Its one line is
 * `redis=<url> namespace=<ns>`: the `ready` line without its first word. Only its owner may read it, because the
 * address may hold a password. It is there while the fleet runs; a killed starter leaves it behind.
 */
export const URL_FILE = join('.busbar', 'url')

export interface FleetAddress {
  readonly redis: string
  readonly namespace: string
}

export const addressLine = ({ redis, namespace }: FleetAddress): string =>
  `redis=${redis} namespace=${namespace}`

/** Undefined when there is no such file, or it says nothing that makes sense. */
export function readUrlFile(): FleetAddress | undefined {
  let content: string
  try {
    content = readFileSync(URL_FILE, 'utf8')
  } catch {
    return undefined // absent, the usual case, or not readable
  }
  const [, redis, namespace] = /^redis=(\S+) namespace=(\S+)$/m.exec(content) ?? []
  return redis === undefined || namespace === undefined ? undefined : { redis, namespace }
}

/** Writes the file as a whole. Answers a function that removes it, unless another fleet has written it since. */
export function writeUrlFile(address: FleetAddress): () => void {
  const content = `${addressLine(address)}\n`
  const folder = dirname(URL_FILE)
  const made = mkdirSync(folder, { recursive: true })
  const temporary = `${URL_FILE}.${process.pid}`
  writeFileSync(temporary, content, { mode: 0o600 })
  renameSync(temporary, URL_FILE)
  return () => {
    try {
      if (readFileSync(URL_FILE, 'utf8') === content) rmSync(URL_FILE)
      if (made !== undefined) rmdirSync(folder)
    } catch {
      // The folder is gone, or has other files: there is nothing to tidy.
    }
  }
}
