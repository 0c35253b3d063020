import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startCommand } from '../harness/cli.js'
import { redisUrl } from '../harness/redis.js'

const [, sample = ''] = /<!-- sample -->\n```js\n([^]*?)```/.exec(readFileSync('docs/http.md', 'utf8')) ?? []

test('the sample of docs/http.md serves the fleet', { timeout: 60_000 }, async () => {
  const tail = `server.once('listening', () => console.log('port', server.address().port))`
  const job = startCommand(['--input-type=module', '-e', `${sample}\n${tail}`], {
    env: { REDIS_URL: redisUrl(), PORT: '0' },
  })
  try {
    const [, port = ''] = await job.said(/^port (\d+)$/m)
    const ask = (user?: string) =>
      fetch(`http://127.0.0.1:${port}/api/config`, { headers: user === undefined ? {} : { 'x-user': user } })
    expect((await ask()).status).toBe(401)
    expect(await (await ask('alice')).json()).toMatchObject({
      actor: 'alice',
      actions: expect.arrayContaining(['trip']) as string[],
    })
    expect(await (await ask('bob')).json()).toMatchObject({ actor: 'bob', actions: [] })
  } finally {
    process.kill(job.pid, 'SIGTERM')
    await job.exit
  }
})
