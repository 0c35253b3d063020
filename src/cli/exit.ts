/** Exit codes. The first four are of `status`, the others of every command. */
export const EXIT = {
  ok: 0,
  degraded: 1,
  unhealthy: 2,
  unknown: 3,
  failed: 1,
  usage: 64,
  internal: 70,
} as const
