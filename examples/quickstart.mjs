import { connect } from 'busbar'

const busbar = await connect({ redis: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' })
const openai = await busbar.provider('openai', { breaker: { failureThreshold: 3, cooldownMs: 30_000 } })

busbar.on('opened', (event) =>
  console.log(`the whole fleet stops calling ${event.providerId}: ${event.reason}`),
)

const callModel = async () => {
  throw Object.assign(new Error('service unavailable'), { status: 503 })
}

for (let call = 1; call <= 5; call += 1) {
  try {
    console.log(await openai.execute(({ signal }) => callModel(signal), { timeoutMs: 5_000 }))
  } catch (error) {
    console.log(`call ${call}: ${error.message}`)
  }
}

await busbar.close()
