import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { connect } from '../../src/index.js'
import { redisUrl, testNamespace } from '../harness/redis.js'

test.each(['1', '3'])('keys of schema %s are refused at connect, by name', async (schema) => {
  const namespace = testNamespace()
  const redis = new Redis(redisUrl())
  onTestFinished(() => redis.disconnect())
  await redis.hset(`${namespace}:meta`, 'schema', schema, 'epoch', 'of another version')
  await expect(connect({ redis: redisUrl(), namespace, logger: false })).rejects.toMatchObject({
    code: 'redis_unsupported',
    message: expect.stringContaining(`its keys have schema ${schema}`) as unknown,
  })
})
