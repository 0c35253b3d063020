export type Sample = Readonly<
  Record<'rss' | 'heapUsed' | 'handles' | 'fds' | 'redisMemory' | 'redisKeys' | 'redisClients', number>
>
export interface Growth {
  readonly what: string
  readonly unit: string
  readonly first: number
  readonly last: number
  readonly ratio: number
  readonly limit: number
  readonly noise: number
  readonly broken: boolean
}
export interface Fault {
  readonly name: string
  /** ms after the fault's end; null: not within the deadline. */
  readonly backMs: number | null
  readonly probedMs: number | null
  readonly longestWaitMs: number
  /** The longest wait, less what the process itself stood still. */
  readonly overMs: number
}
export function judgeGrowth(samples: readonly Sample[]): Growth[]
export function brokenBounds(found: {
  readonly suffered: readonly Fault[]
  readonly growth: readonly Growth[]
  readonly seen: readonly { readonly strange: Readonly<Record<string, number>> }[]
  readonly limitMs: number
}): string[]
export function faultLine(seconds: number, fault: Fault): string
export function growthTable(growth: readonly Growth[]): string
