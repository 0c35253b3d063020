import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

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
      import { createTestBusbar } from 'busbar/testing'
      console.log(typeof connect, typeof isBusbarError, typeof createTestBusbar)`
    expect(await node('esm.mjs', source)).toBe('function function function')
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

  it('does not load bullmq or the command line before it is asked to', async () => {
    // A loader hook sees every module that is resolved, ES modules and, through them, CommonJS.
    const hooks = `
      import { appendFileSync } from 'node:fs'
      export async function load(url, context, next) {
        appendFileSync('loaded.txt', url + '\\n')
        return next(url, context)
      }`
    writeFileSync(join(folder, 'hooks.mjs'), hooks)
    const register = `import { register } from 'node:module'; register('./hooks.mjs', import.meta.url)`
    writeFileSync(join(folder, 'register.mjs'), register)
    const source = `
      import { createRequire } from 'node:module'
      import 'busbar'
      console.log(Object.keys(createRequire(import.meta.url).cache).join('\\n'))`
    const cached = await node('loads.mjs', source, '--import', './register.mjs')
    const loaded = readFileSync(join(folder, 'loaded.txt'), 'utf8')
    expect(loaded).toContain('/busbar/dist/index.js')
    expect(`${loaded}\n${cached}`).not.toMatch(/node_modules\/(bullmq|commander)\/|dist\/cli\//)
  })

  it('brings a command', async () => {
    const command = join(folder, 'node_modules', '.bin', 'busbar')
    const { stdout } = await exec(command, ['--help'], { cwd: folder, env })
    expect(stdout).toContain('busbar')
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
    expect(readdirSync(installed())).not.toContain('test')
    expect(readdirSync(installed())).not.toContain('scripts')
    expect(readdirSync(installed())).not.toContain('src')
  })

  it('passes publint', async () => {
    const { messages, pkg } = await publint({ pkgDir: installed(), strict: true, pack: false })
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })
})
