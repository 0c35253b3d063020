import { readFileSync } from 'node:fs'
import { CODE_FOLDER, PACKAGE_FOLDER } from '../package/location.js'

/** Files that the build makes of src/dashboard/, wherever this code runs. */
const BUILT = new URL('dist/http/assets/', PACKAGE_FOLDER)
const OWN = new URL('http/assets/', CODE_FOLDER)

/** Files that are sent as they are; each is read when it is first asked for. */
const ASSETS = {
  'dashboard.js': { folder: BUILT, type: 'text/javascript; charset=utf-8' },
  'dashboard.css': { folder: BUILT, type: 'text/css; charset=utf-8' },
  'icon.svg': { folder: OWN, type: 'image/svg+xml' },
  'openapi.json': { folder: OWN, type: 'application/json' },
} as const

const read = new Map<string, Buffer>()

export function asset(name: keyof typeof ASSETS): Response {
  const { folder, type } = ASSETS[name]
  const content = read.get(name) ?? readFileSync(new URL(name, folder))
  read.set(name, content)
  return new Response(content, { headers: { 'content-type': type } })
}
