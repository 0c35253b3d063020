import { expect, it } from 'vitest'
import { cliFleet, expectOneLine, interrupt } from '../harness/cli-fleet.js'
import { BIN, runCli, startCommand } from '../harness/cli.js'
import { eventually } from '../harness/eventually.mjs'
import { isSigned, startHookServer } from '../harness/hook-server.js'
import { documented } from '../harness/transcript.js'

const SECRET = 'a-secret-of-the-command'
const PATH = '/T0/a-path-that-is-a-secret'

const FILE = `providers:
  openai: {}
alerts:
  groupMs: 200ms
  hooks:
    ops:
      kind: webhook
      url: \${env:OPS_URL}
      secret: \${env:OPS_SECRET}
`

it('busbar alerts test sends one message now and says what came; busbar start sends what happens', async () => {
  const hook = await startHookServer()
  const fleet = await cliFleet()
  const env = { OPS_URL: hook.url + PATH, OPS_SECRET: SECRET }
  fleet.file(FILE, 'busbar.yaml')
  const test = (...args: string[]) => runCli(['alerts', 'test', ...args], { cwd: fleet.folder, env })

  const delivered = await test('ops')
  expect(delivered).toMatchObject({ code: 0, stderr: '' })
  const steady = (text: string) => text.replace(/ \d+(\.\d)? ms/g, ' <n> ms')
  const shown = `$ npx busbar alerts test ops\n${delivered.stdout.trimEnd()}`
  expect(steady(documented('docs/alerts.md', 'test', shown))).toBe(steady(shown))
  const [said] = hook.messages()
  expect(said).toMatchObject({ hook: 'ops', namespace: 'busbar', test: true, status: 'info', alerts: [] })
  expect(said?.text).toBe('[test] busbar: a test of the hook ops; nothing is wrong')
  expect(hook.deliveries.every((delivery) => isSigned(delivery, SECRET))).toBe(true)

  hook.answer((response) => response.writeHead(403).end(`no ${PATH} \u001b[31m for ${SECRET}, password="x"`))
  const refused = await test('ops')
  expect(refused.code).toBe(1)
  expectOneLine(
    refused,
    'busbar: ops: not delivered: HTTP 403, and it says: no ***  [31m for ***, password="***"',
  )
  expect(JSON.parse((await test('ops', '--json')).stdout)).toMatchObject({
    delivered: false,
    result: 'HTTP 403',
  })

  const unknown = await test('chat')
  expect(unknown.code).toBe(64)
  expectOneLine(unknown, 'busbar: busbar.yaml: alerts.hooks.chat: there is no such hook; known: ops')
  const missing = await runCli(['alerts', 'test', 'ops'], { cwd: fleet.folder, env: { OPS_URL: hook.url } })
  expect(missing.code).toBe(64)
  expectOneLine(
    missing,
    'busbar: busbar.yaml: alerts.hooks.ops.secret: the environment variable OPS_SECRET is not set',
  )
  fleet.file(
    'providers: { a: {} }\nalerts: { groupMs: 1ms, hooks: { ops: { kind: slack, url: "https://h/s3" } } }',
    'wrong.yaml',
  )
  expectOneLine(
    await test('ops', '-c', 'wrong.yaml'),
    'busbar: wrong.yaml: alerts.groupMs: expected a whole number from 100 to 600000, got 1 (1ms)',
  )

  const plan = await fleet.run(['apply', '-f', 'busbar.yaml', '--dry-run'], { env })
  expect(plan).toMatchObject({ code: 0, stderr: '' })

  hook.answer(200)
  const before = hook.deliveries.length
  const address = ['--redis', fleet.url, '--namespace', fleet.namespace]
  const job = startCommand([BIN, 'start', '--config', 'busbar.yaml', ...address], { cwd: fleet.folder, env })
  await job.said(/^ready /m)
  const openai = await fleet.busbar.lookup('openai')
  await openai?.trip({ reason: 'their status page is red', actor: 'alice' })
  await eventually(() => hook.deliveries.length > before)
  expect(hook.messages().at(-1)?.text).toBe(
    `[firing] ${fleet.namespace}: openai opened: their status page is red, by alice`,
  )
  expect(await interrupt(job)).toBe(0)
  expect(job.output()).not.toContain(PATH)
})
