import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Debian's package that brings the server's executable and, unlike its redis-server, no system service. */
export const aptPackage = 'redis-tools'

/** The facts that the command depends on: those of this machine, or of a test. */
export interface PackageManagerFacts {
  platform?: string
  /** 0 is root. */
  uid?: number
  /** Whether a command of this name can be run. */
  has?: (command: string) => boolean
}

/** The command that a person would type to get a Redis server, for this machine's package manager. Runs nothing. */
export function installCommand(facts: PackageManagerFacts = {}): string {
  const { platform = process.platform, uid = process.getuid?.() ?? -1, has = isOnPath } = facts
  if (platform === 'darwin') return 'brew install redis'
  const sudo = uid === 0 ? '' : 'sudo '
  if (has('apt-get')) {
    return `${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends ${aptPackage}`
  }
  if (has('apk')) return `${sudo}apk add redis`
  if (has('dnf')) return `${sudo}dnf install -y redis (or valkey, where redis is gone)`
  if (has('pacman')) return `${sudo}pacman -S valkey`
  if (has('zypper')) return `${sudo}zypper install redis`
  return 'get Redis 6.2 or later, or Valkey, and have redis-server or valkey-server on PATH'
}

/** Whether a command of this name can be run. */
export function isOnPath(command: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK)
      return folder !== ''
    } catch {
      return false // not in this folder
    }
  })
}
