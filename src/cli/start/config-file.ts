import { readFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import type { SettingsInput } from '../../index.js'
import { wrongCall } from '../failure.js'

/** What `busbar start --config` reads. The settings themselves are for the library to check. */
export interface ConfigFile {
  readonly redis?: string
  readonly namespace?: string
  readonly defaults: SettingsInput
  readonly providers: readonly (readonly [id: string, settings: SettingsInput])[]
}

const KEYS = ['redis', 'namespace', 'defaults', 'providers']

/** @throws CliError that names the file, the path in it and the value. */
export function readConfigFile(file: string): ConfigFile {
  const refuse = (message: string) => wrongCall(`${file}: ${message}`)
  const config = parseYaml(file)
  if (!isMap(config)) throw refuse(`expected the keys ${KEYS.join(', ')}, got ${show(config)}`)
  for (const [key, value] of Object.entries(config)) {
    if (!KEYS.includes(key))
      throw refuse(`${key}: unknown key (got ${show(value)}); known: ${KEYS.join(', ')}`)
  }
  const text = (key: 'redis' | 'namespace'): string | undefined => {
    const value = config[key] ?? undefined
    if (value === undefined || typeof value === 'string') return value
    throw refuse(`${key}: expected text, got ${show(value)}`)
  }
  const map = (value: unknown, path: string): Record<string, unknown> => {
    if (value === null || value === undefined) return {} // `openai:` with nothing below it takes the defaults
    if (isMap(value)) return value
    throw refuse(`${path}: expected settings below it, got ${show(value)}`)
  }
  const providers = Object.entries(map(config['providers'], 'providers'))
  if (providers.length === 0) throw refuse('providers: expected at least one, got none')
  const redis = text('redis')
  const namespace = text('namespace')
  return {
    ...(redis === undefined ? {} : { redis }),
    ...(namespace === undefined ? {} : { namespace }),
    defaults: map(config['defaults'], 'defaults'),
    providers: providers.map(([id, settings]) => [id, map(settings, `providers.${id}`)]),
  }
}

function parseYaml(file: string): unknown {
  let content: string
  try {
    content = readFileSync(file, 'utf8')
  } catch (error) {
    throw wrongCall(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  const document = parseDocument(content)
  const [problem] = document.errors
  // The first line says what and where; the rest shows the place by drawing below it.
  if (problem !== undefined) throw wrongCall(`${file}: ${problem.message.split('\n')[0] ?? ''}`)
  try {
    return document.toJS() as unknown
  } catch (error) {
    throw wrongCall(`${file}: ${error instanceof Error ? error.message : String(error)}`) // an alias without anchor
  }
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const SHOWN_LENGTH = 80
const show = (value: unknown): string => {
  const shown = value === null || value === undefined ? 'nothing' : JSON.stringify(value)
  return shown.length > SHOWN_LENGTH ? `${shown.slice(0, SHOWN_LENGTH)}…` : shown
}
