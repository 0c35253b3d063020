// A processor of a user in a file: BullMQ runs it in a process of its own.
import { connect } from '../../../dist/index.js'
import { guard } from '../../../dist/bullmq/index.js'

let processor

export default async function process(job, token, signal) {
  processor ??= await open(job.data)
  return processor(job, token, signal)
}

async function open({ url, namespace }) {
  const busbar = await connect({ redis: url, namespace, logger: false, commandTimeoutMs: 5_000 })
  const provider = await busbar.provider('mail')
  return guard(provider, () => 'sent', { spreadMs: 50 })
}
