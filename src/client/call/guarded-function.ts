import { show } from '../../config/show.js'
import { ArgumentError } from '../../model/errors.js'
import type { CallContext, ExecuteOptions } from './call.js'

export interface WrapOptions<F = never> extends ExecuteOptions<F> {
  /** Whether the function is given the context as its first argument. Default false. */
  readonly context?: boolean | undefined
}

type Execute = (
  call: (context: CallContext) => unknown,
  options: ExecuteOptions<unknown> | undefined,
) => Promise<unknown>

/** See `provider.wrap()`. */
export function guardedFunction(
  fn: (...args: never[]) => unknown,
  given: WrapOptions<unknown>,
  execute: Execute,
): (...args: unknown[]) => Promise<unknown> {
  const { context: wanted = false, ...rest } = given
  if (typeof wanted !== 'boolean') {
    throw new ArgumentError('context', `context: expected true or false, got ${show(wanted)}`)
  }
  const options = Object.keys(rest).length === 0 ? undefined : rest
  return function (this: unknown, ...args: unknown[]) {
    return execute((context) => Reflect.apply(fn, this, wanted ? [context, ...args] : args), options)
  }
}
