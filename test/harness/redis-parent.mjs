// A parent to be killed: starts a private Redis, says which on one line of JSON, then does what its argument says.
import { startRedis } from '../../dist/embedded/index.js'

const redis = await startRedis()
process.stdout.write(`${JSON.stringify({ pid: redis.pid, home: redis.home, port: redis.port })}\n`)

if (process.argv[2] === 'wait') setInterval(() => undefined, 1_000)
if (process.argv[2] === 'throw') setTimeout(() => Promise.reject(new Error('on purpose')), 10)
// With 'end' nothing is left to do: the process must end by itself although it never stopped its Redis.
