export interface Claims {
  /** ms, by Redis's clock. */
  readonly claims: readonly number[]
  /** ms between one and the next. */
  readonly gaps: () => number[]
  readonly close: () => void
}
export function watchClaims(port: number, namespace: string, id: string): Promise<Claims>
