// A stamp is a file with the hash of what its folder was made from: if the hash is still right, so is the folder.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** Hash of everything that decides what `npm ci` installs. */
export function dependenciesHash(root) {
  const machine = `${process.platform} ${process.arch}`
  return hashOf(root, [join(root, 'package-lock.json')], machine)
}

/** Hash of everything that decides what the build writes. */
export function sourcesHash(root) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const folders = [join(root, 'src'), join(root, 'lua')].flatMap(filesBelow)
  const builders = ['tsconfig.json', 'scripts/build.mjs', 'scripts/setup/dashboard.mjs', 'package-lock.json']
  return hashOf(root, [...folders, ...builders.map((file) => join(root, file))], version)
}

export function isCurrent(stampFile, hash) {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8').trim() === hash
}

export function writeStamp(stampFile, hash) {
  writeFileSync(stampFile, `${hash}\n`)
}

function hashOf(root, files, extra) {
  const hash = createHash('sha256').update(extra)
  for (const file of files) {
    const content = readFileSync(file)
    // Name and length in front of the content, so that no two sets of files read as the same bytes.
    hash.update(`\0${relative(root, file)}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

/** Sorted, because folders list their files in no order of their own. */
function filesBelow(folder) {
  if (!existsSync(folder)) return []
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
}
