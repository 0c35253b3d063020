import { expect, it } from 'vitest'
import { openApi } from '../harness/openapi.js'

it('src/http/assets/openapi.json is what the schemas and the tables say', async () => {
  // `-u` writes the file.
  const text = `${JSON.stringify(openApi(), null, 1)}\n`
  await expect(text).toMatchFileSnapshot('../../src/http/assets/openapi.json')
})

it('the bodies of writes have their bounds in it', () => {
  const document = JSON.stringify(openApi())
  expect(document).toContain('"maxLength":500')
  expect(document).toContain('"maximum":315360000000')
  expect(document).toContain('"required":["mark","reason"]')
})
