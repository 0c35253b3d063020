import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { DEFAULTS } from '../../src/index.js'
import { redisUrl, testNamespace } from '../harness/redis.js'

const run = promisify(execFile)
const page = readFileSync('docs/bullmq.md', 'utf8')
const samples = [...page.matchAll(/^## (.*)$|```js\n([^]*?)```/gm)]

/** What the samples take for granted, and what they are to have done: two things were sent. */
const around = (namespace: string, code: string) => `
  import { Queue, Worker } from 'bullmq'
  import { connect } from 'busbar'
  const redis = ${JSON.stringify(redisUrl())}
  const { hostname: host, port } = new URL(redis)
  const connection = { host, port: Number(port) }
  const busbar = await connect({ redis, namespace: '${namespace}', logger: false })
  let sent = 0
  const send = async (data, signal) => { if (signal instanceof AbortSignal) sent += 1 }
  const messages = [1, 2]
  const receive = async () => messages.shift()
  ${code.replaceAll("Worker('mail'", `Worker('${namespace}'`)}
  if (typeof worker !== 'undefined') {
    const queue = new Queue('${namespace}', { connection })
    for (const _ of [1, 2]) await queue.add('send', { provider: 'eu' })
    while ((await queue.getCompletedCount()) + (await queue.getFailedCount()) < 2) await new Promise((go) => setTimeout(go, 20))
    if (typeof hold !== 'undefined') hold[Symbol.dispose]()
    await worker.close()
    await queue.obliterate({ force: true })
    await queue.close()
  }
  await busbar.close()
  console.log(sent)`

describe('docs/bullmq.md', () => {
  const codes = samples.flatMap(([, , code]) => code ?? [])

  it.each(codes.map((code, i) => [i + 1, code] as const))('sample %i runs', async (_, code) => {
    const program = around(testNamespace(), code)
    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', program], {
      timeout: 60_000,
    })
    expect([stdout.trim(), stderr]).toEqual(['2', ''])
  })

  it('has a sample of each way in, and states the defaults', () => {
    expect(codes).toHaveLength(3)
    const stated = [...page.matchAll(/^\| `(\w+)` \| (\w+) \|/gm)].map((row) => [row[1], row[2]])
    const defaults = Object.entries(DEFAULTS.guard).map(([name, value]) => [name, String(value)])
    expect(Object.fromEntries(stated)).toEqual(Object.fromEntries(defaults))
  })
})
