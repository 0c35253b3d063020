/**
 * `busbar/bullmq`: workers of BullMQ whose jobs an outage costs no attempt.
 *
 * It works with the user's own copy of bullmq, 5.73.5 or later, knows jobs and workers by their structure, and loads none.
 */
export { guard } from './guard.js'
export type { GuardedProcessor, GuardOptions, Processor, ProviderOf } from './guard.js'
export type { GuardedJob } from './job.js'
export type { DeferOn } from '../config/guard-options.js'
export { holdWhileOpen } from './hold.js'
export type { HeldWorker } from './worker-pause.js'
