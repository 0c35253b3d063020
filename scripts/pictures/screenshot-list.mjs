// The views that are photographed, in this order: the outage of openai is still young, and the last one stops Redis.
const PHONE = { width: 360, height: 720 }

const listed = (page) => page.getByRole('table').first().waitFor()

/** With the small charts of the rows on the screen. */
const fleet = async (page) => {
  await listed(page)
  for (let row = 0; row < CHARTS; row += 1)
    await page
      .locator('.spark')
      .nth(row)
      .locator('path:not(.base)[d^=M]')
      .first()
      .waitFor({ state: 'attached' })
}
const CHARTS = 5

/** History and events come after the snapshot. */
const provider = async (page) => {
  await page.locator('.canvas canvas').waitFor()
  await page.locator('.events li').first().waitFor()
}

/** The calls of workers are counted only while somebody looks. */
const counted = async (page) => {
  await listed(page)
  await page.getByText(/Counted for (1[5-9]|[2-9]\d)/).waitFor({ timeout: 90_000 })
}

export const shots = [
  { name: 'provider-light', hash: '#/provider/openai', prepare: provider },
  { name: 'provider-dark', hash: '#/provider/openai', scheme: 'dark', prepare: provider },
  { name: 'fleet-light', hash: '#/', prepare: fleet },
  { name: 'fleet-dark', hash: '#/', scheme: 'dark', prepare: fleet },
  {
    name: 'trip',
    hash: '#/provider/anthropic',
    prepare: async (page) => {
      await provider(page)
      await page.getByRole('button', { name: 'Trip' }).click()
      await page.getByLabel('Reason').fill('their status page: elevated latency')
    },
  },
  { name: 'matrix', hash: '#/matrix', prepare: counted },
  { name: 'groups', hash: '#/groups', prepare: listed },
  { name: 'schedules', hash: '#/schedules', prepare: listed },
  { name: 'narrow', hash: '#/', size: PHONE, prepare: fleet },
  {
    name: 'redis-lost',
    hash: '#/',
    prepare: async (page, { redisPid }) => {
      await fleet(page)
      process.kill(redisPid, 'SIGSTOP')
      await page.getByText(/Redis .*answer.* since/).waitFor()
    },
  },
]
