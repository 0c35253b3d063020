import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startCommand } from '../harness/cli.js'
import { redisUrl, testNamespace } from '../harness/redis.js'

const [prometheus = '', otel = ''] = [
  ...readFileSync('docs/metrics.md', 'utf8').matchAll(/```ts\n([^]*?)```/g),
].map(([, sample = '']) => sample)

/** What a program prints; the Redis of the sample is that of the tests. */
async function run(program: string): Promise<string> {
  const here = JSON.stringify({ redis: redisUrl(), namespace: testNamespace(), logger: false })
  const source = program.replace(/connect\(\{.*\}\)/, `connect(${here})`)
  const job = startCommand(['--input-type=module', '-e', source])
  await job.exit
  return job.output().trim()
}

test('the samples of docs/metrics.md do what they say', { timeout: 60_000 }, async () => {
  const said = await Promise.all([
    run(`${prometheus}
      console.log(contentType, /^busbar_store_up 1$/m.test(text))
      await busbar.close()`),
    run(`import { connect } from 'busbar'
      const busbar = await connect({})
      ${otel}
      await (await busbar.provider('openai')).execute(() => 1)
      console.log(stop())
      await busbar.close()`),
  ])
  expect(said).toEqual(['text/plain; version=0.0.4; charset=utf-8 true', 'undefined'])
})
