import { readFileSync } from 'node:fs'
import { CODE_FOLDER } from '../package/location.js'

/** Files that are sent as they are. The build copies them; each is read when it is first asked for. */
const TYPES = {
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'openapi.json': 'application/json',
} as const

const read = new Map<string, Buffer>()

export function asset(name: keyof typeof TYPES): Response {
  const content = read.get(name) ?? readFileSync(new URL(`http/assets/${name}`, CODE_FOLDER))
  read.set(name, content)
  return new Response(content, { headers: { 'content-type': TYPES[name] } })
}
