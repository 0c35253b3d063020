export interface ProbeDecisions {
  readonly claims: readonly number[]
  readonly starts: readonly number[]
  readonly results: readonly { readonly worker: string; readonly status: string }[]
  readonly discards: readonly string[]
  close(): void
}
export function watchProbeDecisions(port: number, namespace: string, id: string): Promise<ProbeDecisions>
export function beginningsOf(
  decisions: Pick<ProbeDecisions, 'claims' | 'starts'>,
  probe: { readonly interval: number; readonly timeout: number },
): readonly number[]
export function gapsOf(times: readonly number[]): number[]
