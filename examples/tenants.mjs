// A provider for each tenant: the one that is down is left alone, and the others are served. Start Redis, then:
//   REDIS_URL=redis://127.0.0.1:6379 node tenants.mjs
import { connect, isBusbarError } from 'busbar'

const busbar = await connect({ redis: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' })
const tenants = busbar.family('tenant-api', { breaker: { failureThreshold: 2, cooldownMs: 30_000 } })

/** Stands for a call of the tenant's own API. */
const callApiOf = async (tenant) => {
  if (tenant === 'Böse & Co') throw new Error('connection refused')
  return 'fine'
}

for (let round = 1; round <= 3; round += 1) {
  for (const tenant of ['acme', 'Böse & Co', 'umbrella']) {
    const provider = await tenants.get(tenant)
    const said = await provider
      .execute(() => callApiOf(tenant))
      .catch((error) => (isBusbarError(error) ? error.code : error.message))
    console.log(`round ${round}, ${tenant}: ${said}`)
  }
}
// So that the next run finds them as this one did.
for (const id of await busbar.providers()) if (id.startsWith('tenant-api/')) await busbar.remove(id)
console.log(`its id is ${tenants.idOf('Böse & Co')}`)
await busbar.close()
