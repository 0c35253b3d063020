export type Call = (url: string, judge: <X>(answer: X) => X) => Promise<unknown>

export interface Client {
  readonly call: Call
  readonly returned?: Call
  readonly signal?: (url: string, signal: AbortSignal) => Promise<unknown>
  readonly limit?: Call
  readonly deadline?: Call
  readonly abort?: Call
  readonly unsendable?: Call
}

export const CLIENTS: Readonly<Record<string, Client>>
export function awsError(url: string, type: string): Promise<unknown>
export function startServer(): Promise<{ url: string; closedUrl: string; close: () => void }>
export function startGrpc(): Promise<{
  code: (code: number) => Promise<unknown>
  deadline: () => Promise<unknown>
  cancel: () => Promise<unknown>
  close: () => void
}>
