import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { FAULTS } from '../harness/fault-table.js'

const text = readFileSync(new URL('../../docs/reliability.md', import.meta.url), 'utf8')

it('docs/reliability.md names tests that exist', () => {
  const named = [...text.matchAll(/`(test\/[^`]+\.ts)`/g)].map(([, file]) => file ?? '')
  expect(named.length).toBeGreaterThan(20)
  expect(
    named.filter((file) => !existsSync(new URL(`../../${file}`, import.meta.url))),
    'missing',
  ).toEqual([])
})

it('docs/reliability.md has a row for each fault of the table that test:faults prints', () => {
  const rows = [...text.matchAll(/^\| (\d+) \|/gm)].map(([, number]) => Number(number))
  expect(rows).toEqual(FAULTS)
})
