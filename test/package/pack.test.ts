import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { redisUrl, testNamespace } from '../harness/redis.js'

const exec = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')

/** What a stranger gets: the packed tarball, installed into an empty folder outside the repository. */
let folder = ''

/** The environment of a stranger: without what the `npm test` around us tells the scripts it runs. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_(config_local_prefix|package|lifecycle)/.test(name)),
)
const installed = (...parts: string[]) => join(folder, 'node_modules', 'busbar', ...parts)

/** Runs a script in that folder and answers what it printed. */
async function node(file: string, source: string, ...flags: string[]): Promise<string> {
  writeFileSync(join(folder, file), source)
  const { stdout } = await exec(process.execPath, [...flags, file], { cwd: folder, env })
  return stdout.trim()
}

/** Every module that a script loads: a loader hook sees ES modules, and the cache of CommonJS has the others. */
async function loadedBy(source: string): Promise<string> {
  const list = join(folder, 'loaded.txt')
  rmSync(list, { force: true })
  const hooks = `
    import { appendFileSync } from 'node:fs'
    export async function load(url, context, next) {
      appendFileSync(${JSON.stringify(list)}, url + '\\n')
      return next(url, context)
    }`
  writeFileSync(join(folder, 'hooks.mjs'), hooks)
  const register = `import { register } from 'node:module'; register('./hooks.mjs', import.meta.url)`
  writeFileSync(join(folder, 'register.mjs'), register)
  const common = `
    import { createRequire } from 'node:module'
    import { appendFileSync } from 'node:fs'
    appendFileSync(${JSON.stringify(list)}, Object.keys(createRequire(import.meta.url).cache).join('\\n'))`
  await node('loads.mjs', `${source}\n${common}`, '--import', './register.mjs')
  return readFileSync(list, 'utf8')
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'busbar-pack-'))
  // Scripts are left out: what is packed is the dist/ that the other tests ran against.
  const packArgs = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder]
  const packed = await exec('npm', packArgs, { cwd: root, env })
  writeFileSync(join(folder, 'package.json'), '{ "name": "stranger", "private": true }')
  const tarball = packed.stdout.trim().split('\n').at(-1) ?? ''
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--omit=dev']
  await exec('npm', ['install', `./${tarball}`, ...quiet], { cwd: folder, env })
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the package', () => {
  it('is imported by ES modules', async () => {
    const source = `
      import { connect, isBusbarError } from 'busbar'
      import { guard } from 'busbar/bullmq'
      import { createTestBusbar } from 'busbar/testing'
      console.log(typeof connect, typeof isBusbarError, typeof createTestBusbar, typeof guard)`
    expect(await node('esm.mjs', source)).toBe('function function function function')
  })

  it('is required by CommonJS', async () => {
    const source = `
      const { connect } = require('busbar')
      const { createTestBusbar } = require('busbar/testing')
      console.log(typeof connect, typeof createTestBusbar)`
    expect(await node('cjs.cjs', source, '--no-warnings')).toBe('function function')
  })

  it('guards a call without any Redis by busbar/testing', async () => {
    const source = `
      import { createTestBusbar } from 'busbar/testing'
      const busbar = await createTestBusbar()
      const provider = await busbar.provider('openai')
      console.log(await provider.execute(async () => 'answer'), await provider.state())
      await busbar.close()`
    expect(await node('testing.mjs', source)).toBe('answer closed')
  })

  it('serves a fleet by busbar/http, and loads no server and no generator for it', async () => {
    const loaded = await loadedBy(`
      import { createTestBusbar } from 'busbar/testing'
      import { createHandler, toNode } from 'busbar/http'
      import plugin from 'busbar/fastify'
      const busbar = createTestBusbar()
      await busbar.provider('openai')
      const handler = createHandler(busbar, { authorize: 'anyone' })
      const bodies = await Promise.all(
        ['/', '/dashboard.js', '/dashboard.css', '/api/openapi.json', '/api/providers'].map(async (path) =>
          (await (await handler(new Request('http://localhost' + path))).text()).length,
        ),
      )
      if (typeof plugin !== 'function' || typeof toNode(handler) !== 'function') throw new Error('no functions')
      if (bodies.some((length) => length < 200)) throw new Error(bodies.join())
      await busbar.close()`)
    expect(loaded).toContain('/busbar/dist/http/index.js')
    expect(loaded).not.toMatch(
      /node_modules\/(bullmq|commander|ioredis|pino|yaml|@valibot|fastify)\/|dist\/(cli|redis)\//,
    )
  })

  it('loads at import neither ioredis nor pino, nor anything else that it does not need yet', async () => {
    const loaded = await loadedBy(`import 'busbar'`)
    expect(loaded).toContain('/busbar/dist/index.js')
    expect(loaded).not.toMatch(
      /node_modules\/(bullmq|commander|ioredis|pino|valibot|yaml)\/|dist\/(cli|client|http|redis)\//,
    )
  })

  it("loads for busbar/bullmq no bullmq, which is the user's own, and no client of Redis", async () => {
    const loaded = await loadedBy(`import 'busbar/bullmq'`)
    expect(loaded).toContain('/busbar/dist/bullmq/index.js')
    expect(loaded).not.toMatch(
      /node_modules\/(bullmq|commander|ioredis|pino|yaml)\/|dist\/(cli|probes|redis)\//,
    )
  })

  it('guards fetch and undici without loading any client, nor more of itself than its errors', async () => {
    const loaded = await loadedBy(`
      import { guardFetch } from 'busbar/fetch'
      import { guardInterceptor } from 'busbar/undici'
      guardFetch(fetch, { busbar: { family() {} } })
      guardInterceptor({ busbar: { family() {} } })`)
    expect(loaded).toMatch(/dist\/adapters\/fetch\.js/)
    expect(loaded).not.toMatch(
      /node_modules\/(bullmq|ioredis|pino|undici|valibot)\/|dist\/(cli|client|redis)\//,
    )
  })

  it('loads prom-client for busbar/prometheus, and neither it nor @opentelemetry/api by itself', async () => {
    expect(await loadedBy(`import { register } from 'busbar/prometheus'; register`)).toMatch(
      /node_modules\/prom-client\//,
    )
    const loaded = await loadedBy(`import { connect } from 'busbar'; await connect.toString()`)
    expect(loaded).not.toMatch(/node_modules\/(prom-client|@opentelemetry)\/|dist\/metrics\//)
  })

  it('loads to connect neither bullmq nor, with a logger of the program, pino', async () => {
    const redis = `{ redis: '${redisUrl()}', namespace: '${testNamespace()}', logger: false }`
    const loaded = await loadedBy(`
      import { connect } from 'busbar'
      const busbar = await connect(${redis})
      await busbar.provider('openai')
      await busbar.close()`)
    expect(loaded).toMatch(/node_modules\/ioredis\//)
    expect(loaded).not.toMatch(
      /node_modules\/(bullmq|commander|pino|prom-client|yaml)\/|dist\/(cli|probes)\//,
    )
  })

  /** The files that the command loads, run in this process as bin/busbar.mjs runs it. */
  const loadedByCommand = (...argv: string[]) =>
    loadedBy(`
      import { main } from ${JSON.stringify(installed('dist', 'cli', 'main.js'))}
      await main(${JSON.stringify(argv)})`)

  it('loads for busbar status what status needs, from few files, and no second copy of the library', async () => {
    const loaded = await loadedByCommand('status', '--redis', redisUrl(), '--namespace', testNamespace())
    expect(loaded).toMatch(/dist\/cli\/status\.js/)
    expect(loaded).toMatch(/node_modules\/ioredis\//)
    expect(loaded).not.toMatch(/node_modules\/(bullmq|pino|yaml)\/|node:readline/)
    expect(loaded).not.toMatch(/dist\/cli\/(doctor|probe-now|run|start|watch|worker)\.js/)
    expect(loaded.match(/dist\/cli\//g)?.length).toBeLessThanOrEqual(12)
    expect(loaded).not.toMatch(/busbar\/dist\/(?!cli\/)/)
  })

  it('loads for busbar --version no dependency', async () => {
    const loaded = await loadedByCommand('--version')
    expect(loaded).toMatch(/dist\/cli\/main\.js/)
    expect(loaded).not.toMatch(/node_modules\/(?!busbar\/)/)
    expect(loaded.match(/dist\/cli\//g)?.length).toBeLessThanOrEqual(2)
  })

  it('loads for busbar --help every command, and no client of Redis', async () => {
    const loaded = await loadedByCommand('--help')
    expect(loaded).toMatch(/dist\/cli\/doctor\.js/)
    expect(loaded).not.toMatch(/node_modules\/(bullmq|ioredis|pino|valibot)\//)
  })

  it('brings a command, which knows its version', async () => {
    const command = join(folder, 'node_modules', '.bin', 'busbar')
    const { stdout } = await exec(command, ['--help'], { cwd: folder, env })
    expect(stdout).toContain('busbar')
    const manifest: unknown = JSON.parse(readFileSync(installed('package.json'), 'utf8'))
    const { stdout: version } = await exec(command, ['--version'], { cwd: folder, env })
    expect(manifest).toMatchObject({ version: version.trim() })
  })

  it('brings the command bundled, and the library a file a module', () => {
    const files = readdirSync(installed('dist', 'cli'))
    expect(files).toContain('main.js')
    expect(files.filter((file) => !file.endsWith('.js'))).toEqual([]) // no folder of modules, no types that nobody imports
    expect(existsSync(installed('dist', 'redis', 'connection.js'))).toBe(true)
    // The code that finds and starts a Redis is in the command's own files; as modules, a checkout's set-up uses it.
    expect(existsSync(installed('dist', 'embedded'))).toBe(false)
  })

  it('brings the Lua, as it is written and flattened', () => {
    const operations = readdirSync(installed('lua')).filter((file) => file.endsWith('.lua'))
    expect(operations).toContain('record.lua')
    expect(readdirSync(installed('dist', 'lua')).sort()).toEqual(operations.sort())
    for (const file of operations) {
      expect(readFileSync(installed('dist', 'lua', file), 'utf8')).not.toContain('@include')
    }
  })

  it('brings types for every entry, and no tests or scripts', () => {
    expect(existsSync(installed('dist', 'index.d.ts'))).toBe(true)
    expect(existsSync(installed('dist', 'testing.d.ts'))).toBe(true)
    expect(existsSync(installed('dist', 'bullmq', 'index.d.ts'))).toBe(true)
    expect(readdirSync(installed())).not.toContain('test')
    expect(readdirSync(installed())).not.toContain('scripts')
    expect(readdirSync(installed())).not.toContain('src')
  })

  it('passes publint', async () => {
    const { messages, pkg } = await publint({ pkgDir: installed(), strict: true, pack: false })
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })
})
