import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const installArgs = ['install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120']
const noninteractive = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get']

/**
 * Installs the package for everybody: directly, or through `sudo -n`, which fails rather than ask for a password.
 * A failed update is not final, because the package lists at hand may do. Answers an empty object when the package is
 * installed, else the problem.
 */
export async function aptInstall({ run, aptPackage }, through) {
  const [command, ...prefix] = through === 'root' ? noninteractive : ['sudo', '-n', ...noninteractive]
  await run(command, [...prefix, 'update'])
  const { code, problem } = await run(command, [...prefix, ...installArgs, aptPackage])
  return code === 0 ? {} : { problem: problem.trim() }
}

/**
 * Downloads the package and those of its libraries that are not installed, and unpacks them into `folder`. Needs
 * no rights but to write there. apt itself checks what it downloads against the distribution's signatures.
 * Undefined: there is still no server that runs.
 */
export async function unpackPrivately({ run, folder, aptPackage, find }) {
  const work = `${folder}.tmp-${process.pid}`
  const root = join(work, 'root')
  try {
    mkdirSync(join(work, 'debs'), { recursive: true })
    mkdirSync(join(work, 'lists', 'partial'), { recursive: true })
    const files = await download(run, work, aptPackage)
    for (const file of files) await run('dpkg-deb', ['-x', join(work, 'debs', file), root])
    if (!(await runs(run, find({ folders: [], privateFolder: root })))) return undefined
    rmSync(folder, { recursive: true, force: true })
    renameSync(root, folder)
    return find({ folders: [], privateFolder: folder })
  } catch {
    return undefined // no place to write to; the caller says what to install instead
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Uses the machine's package lists if they are there and fresh, else lists in a folder of our own. */
async function download(run, work, aptPackage) {
  const own = ['-o', `Dir::State::Lists=${join(work, 'lists')}`, '-o', `Dir::Cache=${join(work, 'cache')}`]
  for (const lists of [[], own]) {
    if (lists.length > 0) await run('apt-get', [...lists, 'update'])
    const packages = await missingPackages(run, lists, aptPackage)
    const { code } = await run('apt-get', [...lists, 'download', ...packages], { cwd: join(work, 'debs') })
    if (code !== 0) continue
    return readdirSync(join(work, 'debs')).filter((file) => file.endsWith('.deb'))
  }
  return []
}

/** Packages never downloaded: the C library belongs to the machine's own loader; libelogind0 replaces libsystemd0. */
const leave = new Set(['libc6', 'libcrypt1', 'libelogind0'])

/** The package, its libraries and theirs, less what is installed. */
async function missingPackages(run, lists, aptPackage) {
  const known = await run('dpkg-query', ['-W', '-f', '${db:Status-Status} ${Package}\\n'])
  const installed = new Set(known.output.split('\n').filter((line) => line.startsWith('installed ')))
  const direct = await librariesOf(run, lists, [aptPackage])
  const all = new Set([...direct, ...(await librariesOf(run, lists, direct))])
  return [aptPackage, ...[...all].filter((name) => !installed.has(`installed ${name}`))]
}

async function librariesOf(run, lists, packages) {
  const { output } = await run('apt-cache', [...lists, 'depends', ...packages])
  const names = [...output.matchAll(/Depends: (lib\S+)/g)].flatMap((match) => match[1])
  return names.filter((name) => !leave.has(name))
}

async function runs(run, binary) {
  if (binary === undefined) return false
  const env = { LD_LIBRARY_PATH: binary.libraryPath ?? '' }
  const { code } = await run(binary.path, ['--version'], { argv0: binary.argv0, env })
  return code === 0
}
