import { checkArgument } from '../config/check.js'
import { controlSchema, heartbeatSchema, markSchema, tripSchema } from '../config/options.js'
import type { Store } from '../model/ports/store.js'
import type { Reply } from '../model/ports/store-replies.js'
import type { ControlRequest } from '../model/ports/store-requests.js'
import type { Mark } from '../model/words.js'
import type { ProcessContext } from './context.js'
import type { ProviderSession } from './sync/provider-session.js'

export interface ControlOptions {
  /** Why, in words; at most 500 characters. Shown by `status` and `explain`, kept in the stream of events. */
  readonly reason?: string
  /** The person or program that asks; at most 128 characters, default the worker's id. */
  readonly actor?: string
}

export interface TimedControlOptions extends ControlOptions {
  /** ms until it ends by itself; default: never. */
  readonly forMs?: number | null
}

/** The statements that a person, or the provider itself, makes of a provider. */
export class ProviderControl {
  readonly #context: ProcessContext
  readonly #session: ProviderSession

  constructor(context: ProcessContext, session: ProviderSession) {
    this.#context = context
    this.#session = session
  }

  async reset(options: ControlOptions = {}): Promise<void> {
    const checked = checkArgument(controlSchema, options, 'reset')
    await this.#run('reset', checked, (store, request) => store.reset(this.#session.id, request))
  }

  async trip(options: TimedControlOptions = {}): Promise<void> {
    const { forMs, ...checked } = checkArgument(tripSchema, options, 'trip')
    await this.#run('trip', checked, (store, request) => store.trip(this.#session.id, { ...request, forMs }))
  }

  async mark(mark: Mark, options: TimedControlOptions = {}): Promise<void> {
    const { forMs, ...checked } = checkArgument(markSchema, options, `mark_${mark}`)
    await this.#run(`mark ${mark}`, checked, (store, request) =>
      store.mark(this.#session.id, { ...request, mark, forMs }),
    )
  }

  async resume(options: ControlOptions = {}): Promise<void> {
    const checked = checkArgument(controlSchema, options, 'resume')
    await this.#run('resume', checked, (store, request) => store.resume(this.#session.id, request))
  }

  async heartbeat(options: { readonly progress?: number | undefined } = {}): Promise<void> {
    const { progress = null } = checkArgument(heartbeatSchema, options, 'heartbeat')
    const session = this.#session
    await session.run('heartbeat', (store) =>
      store.recordHeartbeat(session.id, { ...session.caller, progress, notAfterMs: session.notAfterMs }),
    )
  }

  async #run(
    doing: string,
    options: { reason: string; actor?: string | undefined },
    operation: (store: Store, request: ControlRequest) => Promise<Reply>,
  ): Promise<void> {
    const { reason, actor = this.#context.worker } = options
    const session = this.#session
    // Read afresh: the session asks again after a wipe, or where the command ran too late.
    await session.run(doing, (store) =>
      operation(store, { ...session.caller, actor, reason, notAfterMs: session.notAfterMs }),
    )
  }
}
