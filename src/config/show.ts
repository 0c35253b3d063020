const SHOWN_LENGTH = 80

/** A value as a message shows it: short, and never a reason to throw. */
export function show(value: unknown): string {
  const shown = inFull(value)
  return shown.length > SHOWN_LENGTH ? `${shown.slice(0, SHOWN_LENGTH)}…` : shown
}

function inFull(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number' || typeof value === 'symbol') return String(value)
  return asJson(value)
}

function asJson(value: unknown): string {
  try {
    // A toJSON may answer undefined, whatever the type of stringify says.
    const json: unknown = JSON.stringify(value)
    if (typeof json === 'string') return json
  } catch {
    // It has a cycle, or a toJSON that throws.
  }
  return Object.prototype.toString.call(value)
}
