// Builds dist/: TypeScript, then every Lua operation flattened, so that `redis-cli --eval dist/lua/<op>.lua` works for
// a person. All of it is written to a folder beside dist/, which it replaces at the end: nobody sees half a build.
import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { expected, runChild } from './setup/child.mjs'
import { withLock } from './setup/lock.mjs'
import { sourcesHash, writeStamp } from './setup/stamp.mjs'

/** Answers an exit code if a signal ended the build, else undefined. Call it under the setup lock. */
export async function build(root) {
  removeLeftovers(root)
  const hash = sourcesHash(root) // before the build: what changes during it is built next time
  const temporary = join(root, `dist.tmp-${process.pid}`)
  try {
    const stopped = await compile(root, temporary)
    if (stopped !== undefined) return stopped
    await flattenScripts(root, temporary)
    writeStamp(join(temporary, '.stamp'), hash)
    replace(join(root, 'dist'), temporary, join(root, `dist.tmp-${process.pid}-old`))
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

async function compile(root, outDir) {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const args = [tsc, '-p', join(root, 'tsconfig.json'), '--outDir', outDir, '--noEmitOnError']
  const { code, signal, output } = await runChild(process.execPath, args, { cwd: root, quiet: true })
  if (signal !== undefined) return code
  if (code !== 0) throw expected(`the build failed:\n${output.trim()}`)
}

/** By the freshly built code that does the same at run time; it finds `lua/` two folders above itself. */
async function flattenScripts(root, outDir) {
  const { flatten } = await import(pathToFileURL(join(outDir, 'redis', 'lua-source.js')).href)
  mkdirSync(join(outDir, 'lua'))
  const operations = readdirSync(join(root, 'lua')).filter((file) => file.endsWith('.lua'))
  for (const file of operations) {
    writeFileSync(join(outDir, 'lua', file), flatten(basename(file, '.lua')))
  }
}

function replace(target, fresh, old) {
  if (existsSync(target)) renameSync(target, old)
  renameSync(fresh, target)
  rmSync(old, { recursive: true, force: true })
}

/** Of builds that were killed; under the lock there is no other build. */
function removeLeftovers(root) {
  const leftovers = readdirSync(root).filter((name) => name.startsWith('dist.tmp-'))
  for (const name of leftovers) rmSync(join(root, name), { recursive: true, force: true })
}

const self = fileURLToPath(import.meta.url)
if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === self) {
  const root = resolve(self, '..', '..')
  const log = (line) => console.error(`busbar: ${line}`)
  try {
    process.exitCode = (await withLock(join(root, '.busbar', 'setup.lock'), log, () => build(root))) ?? 0
  } catch (error) {
    console.error(error.expected ? `busbar: ${error.message}` : error)
    process.exitCode = 1
  }
}
