import type { HttpProbeSettings } from '../model/probe.js'
import { isSendable, replaceReferences } from '../config/references.js'

/**
 * A probe needs a variable that this process lacks, or cannot send. The fault is the prober's: it says nothing about
 * the provider, and is never charged to it. The message names the variable, never its value.
 */
export class SecretError extends Error {
  readonly variable: string

  constructor(where: string, variable: string, problem: string) {
    super(`${where}: the environment variable ${variable} ${problem} in the process that probes`)
    this.name = 'SecretError'
    this.variable = variable
  }
}

/** The request as it is sent: every `${env:NAME}` replaced. @throws SecretError */
export function withSecrets(settings: HttpProbeSettings, env = process.env): HttpProbeSettings {
  const valueIn = (where: string) => (variable: string) => read(where, variable, env)
  const encodedIn = (where: string) => (variable: string) => encodeURIComponent(read(where, variable, env))
  const headers = Object.entries(settings.headers).map(([name, value]) => [
    name,
    replaceReferences(value, (variable) => readForHeader(`probe.headers.${name}`, variable, env)),
  ])
  const { body, proxy } = settings
  return {
    ...settings,
    url: replaceReferences(settings.url, encodedIn('probe.url')),
    headers: Object.fromEntries(headers) as Record<string, string>, // pairs of texts
    ...(body === undefined ? {} : { body: replaceReferences(body, valueIn('probe.body')) }),
    ...(proxy === undefined ? {} : { proxy: replaceReferences(proxy, encodedIn('probe.proxy')) }),
  }
}

/** A dash or a quote that a word processor put into a key is what comes here. */
function readForHeader(where: string, variable: string, env: NodeJS.ProcessEnv): string {
  const value = read(where, variable, env)
  if (!isSendable(value)) throw new SecretError(where, variable, 'holds a character that no header can carry')
  return value
}

function read(where: string, variable: string, env: NodeJS.ProcessEnv): string {
  const value = env[variable] ?? ''
  if (value === '') throw new SecretError(where, variable, 'is not set')
  // It could end the header, or the request; often it is the end of a line that a file brought along.
  if (/\p{Cc}/u.test(value)) throw new SecretError(where, variable, 'holds a control character')
  return value
}
