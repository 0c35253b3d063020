import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** The oldest Node that the package says it runs on. */
const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } } // else it fails
const OLDEST = engines.node.replace('>=', '')

const ENTRIES = [
  { file: join('scripts', 'run.mjs'), args: ['nothing'], refusal: 1 },
  { file: join('bin', 'busbar.mjs'), args: ['--version'], refusal: 70 },
]

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'busbar-node-'))
})

afterAll(() => rmSync(folder, { recursive: true }))

/** Runs a file in a Node that says it is another. */
function runAs(version: string, file: string, args: readonly string[]) {
  const preload = join(folder, `node-${version}.cjs`)
  const versions = `{ ...process.versions, node: ${JSON.stringify(version)} }`
  writeFileSync(preload, `Object.defineProperty(process, 'versions', { value: ${versions} })`)
  return spawnSync(process.execPath, ['--require', preload, file, ...args], { encoding: 'utf8' })
}

describe.each(ENTRIES)('$file', ({ file, args, refusal }) => {
  it.each(['18.20.8', '20.0.0', '20.18.3'])('refuses Node %s in one sentence', (version) => {
    const { status, stderr } = runAs(version, file, args)
    expect(status).toBe(refusal)
    expect(stderr.toLowerCase()).toBe(`busbar needs node ${OLDEST} or later; this is node ${version}.\n`)
  })

  it.each([`${OLDEST}.0`, '22.0.0', '24.1.0'])('takes Node %s', (version) => {
    expect(runAs(version, file, args).stderr).not.toMatch(/or later/)
  })
})
