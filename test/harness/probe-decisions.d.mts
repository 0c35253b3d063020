/** ms, by Redis's clock. */
export interface ProbeDecisions {
  readonly claims: readonly number[]
  readonly starts: readonly number[]
  readonly close: () => void
}
export function watchProbeDecisions(port: number, namespace: string, id: string): Promise<ProbeDecisions>
export function gapsOf(times: readonly number[]): number[]
