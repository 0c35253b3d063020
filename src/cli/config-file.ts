import { readFileSync } from 'node:fs'
import { isMap as isYamlMap, isScalar, parseDocument, type Document } from 'yaml'
import { ArgumentError, redactText, SettingsError, type AlertOptions, type SettingsInput } from '../index.js'
import { readDurations, type Durations } from './config-durations.js'
import { cut } from './cut.js'
import { wrongCall } from './failure.js'

/** The file that `busbar start --config` and `busbar apply` read. The library checks the settings in it. */
export interface ConfigFile {
  /** The file's name for messages. */
  readonly name: string
  readonly redis?: string
  readonly namespace?: string
  readonly defaults: SettingsInput
  readonly providers: readonly (readonly [id: string, settings: SettingsInput])[]
  /** For `busbar start` and `busbar alerts`, which have them checked. */
  readonly alerts?: AlertOptions
  /** Times as they were written (`30s`), by the path of the setting, which is now in ms. */
  readonly written: ReadonlyMap<string, string>
}

const KEYS = ['redis', 'namespace', 'defaults', 'providers', 'alerts']

/** `-` is standard input. @throws CliError that names the file, the path in it and the value. */
export function readConfigFile(file: string): ConfigFile {
  const refuse = (message: string) => wrongCall(`${nameOf(file)}: ${message}`)
  const config = parseYaml(file)
  if (!isMap(config)) throw refuse(`expected the keys ${KEYS.join(', ')}, got ${show(config)}`)
  for (const [key, value] of Object.entries(config)) {
    if (!KEYS.includes(key))
      throw refuse(
        `${key}: unknown key (got ${MISSPELT.test(key) ? HIDDEN : show(value)}); known: ${KEYS.join(', ')}`,
      )
  }
  const text = (key: 'redis' | 'namespace'): string | undefined => {
    const value = config[key] ?? undefined
    if (value === undefined || typeof value === 'string') return value
    throw refuse(`${key}: expected text, got ${show(value)}`)
  }
  const written = new Map<string, string>()
  const refuseAt = (path: string, message: string, value: unknown) =>
    refuse(`${path}: ${message}, got ${show(value)}`)
  const map = (value: unknown, path: string): Record<string, unknown> => {
    if (value === null || value === undefined) return {} // `openai:` with nothing below it takes the defaults
    if (isMap(value)) return value
    throw refuseAt(path, 'expected settings below it', value)
  }
  const settings = (value: unknown, path: string): SettingsInput =>
    // The library checks the type.
    readDurations(map(value, path), path, { written, refuse: refuseAt }) as SettingsInput
  const providers = Object.entries(map(config['providers'], 'providers'))
  if (providers.length === 0) throw refuse('providers: expected at least one, got none')
  const redis = text('redis')
  const namespace = text('namespace')
  return {
    ...(redis === undefined ? {} : { redis }),
    ...(namespace === undefined ? {} : { namespace }),
    ...alertsIn(config['alerts'], { written, refuse: refuseAt }),
    name: nameOf(file),
    defaults: settings(config['defaults'], 'defaults'),
    providers: providers.map(([id, given]) => [id, settings(given, `providers.${id}`)]),
    written,
  }
}

/** A wrong value may be a URL, so it is not shown. */
function alertsIn(value: unknown, durations: Durations): { alerts?: AlertOptions } {
  if (value === null || value === undefined) return {}
  if (!isMap(value)) throw durations.refuse('alerts', 'expected hooks below it', HIDDEN)
  // The library checks the type.
  return { alerts: readDurations(value, 'alerts', durations) as AlertOptions }
}

const HIDDEN = '***'
/** A key that may have been meant for alerts holds URLs. */
const MISSPELT = /alert|hook/i

/** An error of the library, with the file and the path before its message, and the time as it was written after it. */
export const inFile =
  ({ name, written }: ConfigFile, prefix = '') =>
  (error: unknown): never => {
    if (!(error instanceof SettingsError || error instanceof ArgumentError)) throw error
    const text = written.get(prefix + error.path)
    throw wrongCall(`${name}: ${prefix}${error.message}${text === undefined ? '' : ` (${text})`}`)
  }

const STANDARD_INPUT = '-'
const nameOf = (file: string): string => (file === STANDARD_INPUT ? 'standard input' : file)

/** More than ten thousand providers with all their settings need, as `busbar export` writes them. */
const MAX_BYTES = 16 * 1_048_576
/** YAML anchors spare repetition. Nested without a limit, they would turn a small file into gigabytes. */
const MAX_ALIASES = 100

function parseYaml(file: string): unknown {
  const name = nameOf(file)
  const content = read(file)
  if (content.length > MAX_BYTES) throw wrongCall(`${name}: larger than 16 MiB; is it the right file?`)
  try {
    const document = parseDocument(content, { schema: 'core', prettyErrors: true })
    // A warning is about an unknown tag: its value would not be the one that was meant.
    const [problem] = [...document.errors, ...document.warnings]
    // The first line has the problem and the place; the others only draw the place.
    if (problem !== undefined) throw new Error(problem.message.split('\n')[0])
    refuseNumbersAsIds(document)
    return document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown
  } catch (error) {
    const said = messageOf(error)
    const message = said.startsWith('Maximum call stack') ? 'nested too deeply' : said
    throw wrongCall(`${name}: ${message.replace(/:$/, '')}`)
  }
}

/** `1.50` is a number to YAML, and would become the id `1.5`. */
function refuseNumbersAsIds(document: Document): void {
  const providers = document.get('providers')
  for (const { key } of isYamlMap(providers) ? providers.items : []) {
    if (!isScalar(key) || typeof key.value !== 'number' || String(key.value) === key.source) continue
    const source = String(key.source)
    throw new Error(`providers.${source}: YAML reads this id as the number ${key.value}; write "${source}"`)
  }
}

function read(file: string): string {
  try {
    return decode(readFileSync(file === STANDARD_INPUT ? process.stdin.fd : file))
  } catch (error) {
    throw wrongCall(`${nameOf(file)} cannot be read: ${messageOf(error)}`)
  }
}

/** UTF-8, or what PowerShell's `>` writes: UTF-16, which begins with a byte order mark. */
function decode(bytes: Buffer): string {
  const mark = bytes.subarray(0, 2).toString('hex')
  if (mark === 'fffe') return new TextDecoder('utf-16le', { fatal: true }).decode(bytes)
  if (mark === 'feff') return new TextDecoder('utf-16be', { fatal: true }).decode(bytes)
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const SHOWN_LENGTH = 80
const show = (value: unknown): string => {
  const shown = value === null || value === undefined ? 'nothing' : redactText(JSON.stringify(value))
  return shown.length > SHOWN_LENGTH ? `${cut(shown, SHOWN_LENGTH)}…` : shown
}
