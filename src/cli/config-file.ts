import { readFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import { ArgumentError, redactText, SettingsError, type SettingsInput } from '../index.js'
import { cut } from './cut.js'
import { wrongCall } from './failure.js'

/** What `busbar start --config` and `busbar apply` read. The settings themselves are for the library to check. */
export interface ConfigFile {
  readonly redis?: string
  readonly namespace?: string
  readonly defaults: SettingsInput
  readonly providers: readonly (readonly [id: string, settings: SettingsInput])[]
}

const KEYS = ['redis', 'namespace', 'defaults', 'providers']

/** `-` is standard input. @throws CliError that names the file, the path in it and the value. */
export function readConfigFile(file: string): ConfigFile {
  const refuse = (message: string) => wrongCall(`${nameOf(file)}: ${message}`)
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

/** A message of the library's, with the file and the place in it in front. */
export const inFile =
  (file: string, prefix = '') =>
  (error: unknown): never => {
    if (!(error instanceof SettingsError || error instanceof ArgumentError)) throw error
    throw wrongCall(`${nameOf(file)}: ${prefix}${error.message}`)
  }

const STANDARD_INPUT = '-'
const nameOf = (file: string): string => (file === STANDARD_INPUT ? 'standard input' : file)

/** No list of providers is larger by far; what is, is no such list. */
const MAX_BYTES = 1_048_576
/** A few anchors spare repetition; nested, they grow a small file into gigabytes. */
const MAX_ALIASES = 100

function parseYaml(file: string): unknown {
  const name = nameOf(file)
  const content = read(file)
  if (content.length > MAX_BYTES) throw wrongCall(`${name}: larger than 1 MiB; is it the right file?`)
  try {
    const document = parseDocument(content, { schema: 'core', prettyErrors: true })
    // A warning is a tag that means nothing here: its value would not be what was meant.
    const [problem] = [...document.errors, ...document.warnings]
    // The first line says what and where; the rest shows the place by drawing below it.
    if (problem !== undefined) throw new Error(problem.message.split('\n')[0])
    return document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown
  } catch (error) {
    const said = messageOf(error)
    const message = said.startsWith('Maximum call stack') ? 'nested too deeply' : said
    throw wrongCall(`${name}: ${message.replace(/:$/, '')}`)
  }
}

function read(file: string): string {
  try {
    return readFileSync(file === STANDARD_INPUT ? process.stdin.fd : file, 'utf8')
  } catch (error) {
    throw wrongCall(`${nameOf(file)} cannot be read: ${messageOf(error)}`)
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const SHOWN_LENGTH = 80
const show = (value: unknown): string => {
  const shown = value === null || value === undefined ? 'nothing' : redactText(JSON.stringify(value))
  return shown.length > SHOWN_LENGTH ? `${cut(shown, SHOWN_LENGTH)}…` : shown
}
