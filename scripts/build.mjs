// Builds dist/: TypeScript, then the dashboard and the command bundled, then every Lua operation flattened, so that
// `redis-cli --eval dist/lua/<op>.lua` works for a person. All of it is written to a folder beside dist/, which it replaces at the end: nobody sees half a build.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { rolldown } from 'rolldown'

import { expected, runChild } from './setup/child.mjs'
import { bundleDashboard } from './setup/dashboard.mjs'
import { withLock } from './setup/lock.mjs'
import { sourcesHash, writeStamp } from './setup/stamp.mjs'

/** Files of the command that several modules share, besides those that the bundler makes by itself. */
const CHUNKS = [
  // All that `busbar --version` needs besides main.js.
  { name: 'base', test: /[\\/](cli[\\/](exit|output)|package[\\/]\w+)\.js$/, priority: 1 },
  // Code that three commands or more share, with what it uses of the library; it is small, and one file is found sooner than twenty.
  // What reads the file of the fleet comes with a parser, which most commands do not need.
  { name: 'common', test: /[\\/]cli[\\/](?!config-)/, minShareCount: 3 },
  // What the library and the simulation share: the bundler would make a small file of each way in which they do. The
  // help of all commands needs words of the model, and no schema.
  { name: 'model', test: /[\\/]model[\\/]/, minShareCount: 2 },
  { name: 'rules', test: /[\\/](rules|config|client[\\/](shared|outage))[\\/]/, minShareCount: 2 },
]

/** Answers an exit code if a signal ended the build, else undefined. Call it under the setup lock. */
export async function build(root) {
  removeLeftovers(root)
  const hash = sourcesHash(root) // before the build: what changes during it is built next time
  const temporary = join(root, `dist.tmp-${process.pid}`)
  try {
    const stopped = await compile(root, temporary)
    if (stopped !== undefined) return stopped
    copyAssets(root, temporary)
    await bundleDashboard(root, join(temporary, 'http', 'assets'))
    await bundleCommand(temporary)
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

/** Files that the handler sends as they are; src/http/assets.ts reads them. */
const copyAssets = (root, outDir) =>
  cpSync(join(root, 'src', 'http', 'assets'), join(outDir, 'http', 'assets'), { recursive: true })

/**
 * Puts the files of `cli/`, with what they use of the library, into few: finding and opening a file for each module is
 * what a short command spends most of its time on. The library itself stays as it is, a file a module. Dependencies are
 * left to npm, and what is imported on demand keeps a file of its own. Nothing is minified, and a comment names each
 * module, so that a stack trace can be read without source maps, which node reads only when it is told to.
 */
async function bundleCommand(outDir) {
  const [modules, bundled] = [join(outDir, 'cli'), join(outDir, 'cli.bundled')]
  const bundle = await rolldown({
    input: {
      main: join(modules, 'main.js'),
      // Processes of their own; see src/cli/start/sample.ts.
      'demo-upstreams': join(modules, 'demo', 'upstreams.js'),
      'demo-worker': join(modules, 'demo', 'worker.js'),
    },
    cwd: outDir, // the comments name files from here on, so that two builds are the same
    platform: 'node',
    external: (id) => !id.startsWith('.') && !isAbsolute(id),
  })
  try {
    // One flat folder, because src/package/location.ts counts on its depth.
    await bundle.write({
      dir: bundled,
      entryFileNames: '[name].js',
      chunkFileNames: '[name].js',
      codeSplitting: { groups: CHUNKS },
    })
  } finally {
    await bundle.close()
  }
  rmSync(modules, { recursive: true })
  renameSync(bundled, modules)
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
