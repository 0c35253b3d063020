export interface TerminalPiece {
  readonly x: number
  readonly text: string
  readonly style: { readonly color: number | null; readonly bold: boolean; readonly dim: boolean }
}
export interface TerminalFrame {
  readonly atMs: number
  readonly rows: readonly (readonly TerminalPiece[])[]
}
export declare function terminalSvg(recording: {
  readonly frames: readonly TerminalFrame[]
  readonly columns: number
  readonly rows: number
  readonly title: string
  readonly tailMs?: number
}): string
