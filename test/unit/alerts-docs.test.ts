import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { AlertFold, MAX_ALERTS } from '../../src/alerts/alert-fold.js'
import { HookFilter } from '../../src/alerts/hook-filter.js'
import { bodyOf } from '../../src/alerts/message.js'
import { signatureOf } from '../../src/alerts/post.js'
import { ALERT_KINDS, type AlertKind, type AlertMessage, type ProviderEvent } from '../../src/index.js'
import { DEFAULTS } from '../../src/config/defaults.js'

const PAGE = readFileSync('docs/alerts.md', 'utf8')

type Verify = (headers: Record<string, string>, body: string, secret: string, nowMs: number) => boolean

it('the recipe of docs/alerts.md takes what Busbar signed, and nothing else', async () => {
  const [, sample = ''] = /<!-- example: verify -->\n```js\n([^]*?)```/.exec(PAGE) ?? []
  const code = `data:text/javascript,${encodeURIComponent(sample)}`
  const { isFromBusbar } = (await import(code)) as { isFromBusbar: Verify } // as the page says
  const secret = 'a-secret-of-the-page'
  const message = { delivery: 'd-1', body: '{"text":"ä"}' }
  const headers = {
    'busbar-delivery': 'd-1',
    'busbar-timestamp': '1700000000',
    'busbar-signature': signatureOf(secret, '1700000000', message),
  }
  const now = 1_700_000_000_000
  expect(isFromBusbar(headers, message.body, secret, now)).toBe(true)
  expect(isFromBusbar(headers, `${message.body} `, secret, now)).toBe(false)
  expect(isFromBusbar(headers, message.body, 'another secret', now)).toBe(false)
  expect(isFromBusbar({ ...headers, 'busbar-delivery': 'd-2' }, message.body, secret, now)).toBe(false)
  expect(isFromBusbar({ ...headers, 'busbar-timestamp': '1700000001' }, message.body, secret, now)).toBe(
    false,
  )
  expect(isFromBusbar(headers, message.body, secret, now + 301_000)).toBe(false)
  expect(isFromBusbar({}, message.body, secret, now)).toBe(false)
})

const entry = (providerId: string, kind: AlertKind, ms: number) => ({
  entry: `${ms}-0`,
  event: {
    ...{ kind, providerId, from: '', to: 'x', reason: 'a reason', generation: 1, version: ms },
    ...{ worker: 'w', actor: '', at: ms },
  } as ProviderEvent, // of any kind
})

const FILTER = new HookFilter({ on: [...ALERT_KINDS], providers: undefined, groups: undefined })

it('docs/alerts.md has every field of a message, and every default', () => {
  const fold = new AlertFold(FILTER, 1_000)
  fold.add([entry('a', 'opened', 1)])
  const parts = { hook: 'ops', kind: 'webhook', namespace: 'prod', delivery: 'd' } as const
  const message = JSON.parse(bodyOf(parts, fold.alerts, 0)) as AlertMessage // its own words
  const rows = [...PAGE.matchAll(/^\| (`[^|]+) \| /gm)].flatMap(
    ([, cell = '']) => cell.match(/[\w[\].]+/g) ?? [],
  )
  const names = rows.map((name) => name.replace('alerts[].', ''))
  expect(Object.keys(message).filter((name) => !names.includes(name))).toEqual([])
  expect(Object.keys(message.alerts[0] ?? {}).filter((name) => !names.includes(name))).toEqual([])
  expect(PAGE).toContain(DEFAULTS.alerts.on.map((kind) => `\`${kind}\``).join(', '))
})

it('a message lists 50 alerts at most, those that fire first, and counts the rest', () => {
  const fold = new AlertFold(FILTER, 100_000)
  for (let i = 0; i < MAX_ALERTS + 10; i += 1) fold.add([entry(`closed-${i}`, 'closed', i + 1)])
  fold.add([entry('late', 'settings_changed', 99_000), entry('late', 'opened', 99_500)])
  expect(fold.alerts).toHaveLength(MAX_ALERTS)
  expect(fold.omitted).toBe(12)
  expect(fold.alerts[0]).toMatchObject({ provider: 'late', status: 'firing' })
  expect(fold.alerts[0]?.text).toBe('late opened (from ): a reason')
  expect(fold.cursors['late']).toBe('99500-0')
  const parts = { hook: 'ops', kind: 'slack', namespace: 'prod', delivery: 'd' } as const
  const { text } = JSON.parse(bodyOf(parts, fold.alerts, fold.omitted)) as { text: string } // of a chat
  expect(text.split('\n')[0]).toBe('[firing] prod: 1 firing, 49 resolved')
  expect(text.split('\n')[2]).toBe('- resolved: closed-0 closed: a reason, 1m 39s ago')
  expect(text.split('\n').at(-1)).toBe('- and 12 more')
})
