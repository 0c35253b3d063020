import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const run = promisify(execFile)
const node = (code: string) => run(process.execPath, ['--input-type=module', '-e', code], { timeout: 20_000 })

/** A package may import itself by name, so the samples run as they stand, on what was built. */
const samplesOf = (page: string) => [
  ...readFileSync(page, 'utf8').matchAll(/^## (.*)$[^]*?```js\n([^]*?)```/gm),
]
const samples = samplesOf('docs/testing.md')

describe('docs/groups.md', () => {
  const grouped = samplesOf('docs/groups.md').map(([, heading = '', code = '']) => [heading, code] as const)

  it('has a sample of each thing that it describes', () => {
    const headings = ['Members', 'Order', 'Calls', 'A group that must not refuse']
    expect(grouped.map(([heading]) => heading)).toEqual(headings)
  })

  it.each(grouped)('%s: the sample runs', async (_, code) => {
    expect((await node(`import assert from 'node:assert/strict'\n${code}`)).stderr).toBe('')
  })
})

describe('docs/testing.md', () => {
  it('has a sample of each thing that it describes', () => {
    expect(samples.map(([, heading]) => heading)).toEqual([
      'Time',
      'Several workers',
      'Redis down and up',
      'Probes',
    ])
  })

  it.each(samples.map(([, heading = '', code = '']) => [heading, code]))(
    '%s: the sample runs',
    async (_, code) => {
      expect((await node(`import assert from 'node:assert/strict'\n${code}`)).stderr).toBe('')
    },
  )
})

it('docs/choosing-rules.md: the sample runs', async () => {
  const [, code = ''] = /```js\n([^]*?)```/.exec(readFileSync('docs/choosing-rules.md', 'utf8')) ?? []
  expect(code).toContain('simulate(')
  expect((await node(code)).stderr).toBe('')
})

it('busbar/testing loads neither ioredis nor bullmq, which loads ioredis, not even to probe', async () => {
  const { stdout } = await node(`
    import { createRequire } from 'node:module'
    const ioredis = () => Object.keys(createRequire(import.meta.url).cache).some((path) => /node_modules.ioredis/.test(path))
    const { createTestBusbar } = await import('busbar/testing')
    const busbar = createTestBusbar()
    await busbar.provider('x', { probe: { kind: 'function', name: 'f' } })
    await busbar.startProbes({ functions: { f: () => true } })
    await busbar.probe('x')
    await busbar.close()
    const before = ioredis()
    const { connect } = await import('busbar')
    await connect({ redis: 'no address' }).catch(() => undefined)
    console.log(JSON.stringify([before, ioredis()]))
  `)
  expect(JSON.parse(stdout)).toEqual([false, true])
})
