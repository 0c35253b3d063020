export interface Limits {
  /** Stands in the message when it does not come true. */
  readonly what?: string
  /** Default 20 000. */
  readonly timeoutMs?: number
  /** From one look to the next. Default 20. */
  readonly everyMs?: number
}
/** `void`: an assertion, which throws while it does not hold. */
export type Condition = () => boolean | void | Promise<boolean | void>
export function eventually(condition: Condition, limits?: Limits | string): Promise<void>
export function holdsWithin(condition: Condition, timeoutMs: number): Promise<boolean>
