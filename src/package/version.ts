import { readFileSync } from 'node:fs'
import { PACKAGE_FOLDER } from './location.js'

let version: string | undefined

/** Of the package, read when it is first asked for; `unknown` where its package.json is missing. */
export function packageVersion(): string {
  version ??= readVersion()
  return version
}

function readVersion(): string {
  try {
    const text = readFileSync(new URL('package.json', PACKAGE_FOLDER), 'utf8')
    const manifest: unknown = JSON.parse(text)
    if (typeof manifest === 'object' && manifest !== null && 'version' in manifest)
      return String(manifest.version)
  } catch {
    // Bundled into a program: nothing fails for want of a version.
  }
  return 'unknown'
}
