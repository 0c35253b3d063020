import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { ACTIONS } from '../../src/config/http.js'
import { HTTP_PROBLEMS } from '../../src/http/problem.js'
import { ROUTES, type Route } from '../../src/http/routes.js'
import { documentedPart } from '../harness/transcript.js'

const PAGE = 'docs/http.md'

it('docs/http.md has every address', () => {
  const rows = Object.values<Route>(ROUTES).map(
    ({ method, path, summary }) => `| \`${method} ${path.slice(1) || './'}\` | ${summary} |`,
  )
  const actual = ['| address | what |', '|---|---|', ...rows].join('\n')
  expect(documentedPart(PAGE, 'routes', actual)).toBe(actual)
})

it('docs/http.md has every problem', () => {
  const rows = Object.entries(HTTP_PROBLEMS).map(
    ([code, { status, title }]) => `| \`${code}\` | ${status} | ${title} |`,
  )
  const actual = ['| code | status | meaning |', '|---|---|---|', ...rows].join('\n')
  expect(documentedPart(PAGE, 'problems', actual)).toBe(actual)
})

it('docs/http.md names every action and the limits of the code', () => {
  const page = readFileSync(PAGE, 'utf8')
  for (const action of ACTIONS) expect(page).toContain(`\`${action}\``)
})
