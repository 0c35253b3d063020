// The views that are photographed, in this order: the last one stops Redis.
const PHONE = { width: 360, height: 720 }

const listed = (page) => page.getByRole('table').first().waitFor()

/** History and events come after the snapshot. */
const provider = async (page) => {
  await page.locator('.canvas canvas').waitFor()
  await page.locator('.events li').first().waitFor()
}

export const shots = [
  { name: 'fleet-light', hash: '#/', prepare: listed },
  { name: 'fleet-dark', hash: '#/', scheme: 'dark', prepare: listed },
  { name: 'provider-light', hash: '#/provider/openai', prepare: provider },
  { name: 'provider-dark', hash: '#/provider/openai', scheme: 'dark', prepare: provider },
  {
    name: 'trip',
    hash: '#/provider/anthropic',
    prepare: async (page) => {
      await provider(page)
      await page.getByRole('button', { name: 'Trip' }).click()
      await page.getByLabel('Reason').fill('their status page: elevated latency')
    },
  },
  { name: 'matrix', hash: '#/matrix', prepare: listed },
  { name: 'groups', hash: '#/groups', prepare: listed },
  { name: 'schedules', hash: '#/schedules', prepare: listed },
  { name: 'narrow', hash: '#/', size: PHONE, prepare: listed },
  {
    name: 'redis-lost',
    hash: '#/',
    prepare: async (page, { redisPid }) => {
      await listed(page)
      process.kill(redisPid, 'SIGSTOP')
      await page.getByText('Redis does not answer since').waitFor()
    },
  },
]
