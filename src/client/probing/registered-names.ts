import { ArgumentError } from '../../model/errors.js'
import type { RegisteredChecks } from './probe-worker.js'

/** Each name has a queue, and costs each process that registers it a connection. */
const MAX_NAMES = 32

/** @throws ArgumentError for the first name beyond what a process may register */
export function checkNames(before: RegisteredChecks, added: RegisteredChecks): void {
  const names = new Set([...pathsOf(before), ...pathsOf(added)])
  const beyond = [...names][MAX_NAMES]
  if (beyond === undefined) return
  const message = `${beyond}: a process registers ${MAX_NAMES} functions and processes at most, because each costs a connection`
  throw new ArgumentError(beyond, message)
}

const pathsOf = ({ processes, functions }: RegisteredChecks): string[] => [
  ...[...processes.keys()].map((name) => `processes.${name}`),
  ...[...functions.keys()].map((name) => `functions.${name}`),
]
