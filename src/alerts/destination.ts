import { isHookSecret, isHookUrl, type CheckedHook } from '../config/alerts.js'
import { referencesIn, replaceReferences } from '../config/references.js'
import { ArgumentError } from '../model/errors.js'

/** Where the messages of a hook go: in the memory of a process that sends, and nowhere else. */
export interface Destination {
  readonly url: URL
  readonly secret: string | undefined
}

/** @throws ArgumentError naming the path and the variable, never a value */
export function destinationOf(name: string, hook: CheckedHook, env = process.env): Destination {
  const path = `alerts.hooks.${name}`
  const url = resolve(`${path}.url`, hook.url, env)
  if (!isHookUrl(url)) throw wrong(`${path}.url`, hook.url, 'is no absolute http: or https: URL')
  if (hook.kind !== 'webhook' || hook.secret === undefined) return { url: new URL(url), secret: undefined }
  const secret = resolve(`${path}.secret`, hook.secret, env)
  if (!isHookSecret(secret)) throw wrong(`${path}.secret`, hook.secret, 'has not 8 to 1024 characters')
  return { url: new URL(url), secret }
}

function resolve(path: string, text: string, env: NodeJS.ProcessEnv): string {
  return replaceReferences(text, (variable) => {
    const value = env[variable] ?? ''
    if (value === '')
      throw new ArgumentError(path, `${path}: the environment variable ${variable} is not set`)
    // Often the end of a line that a file brought along.
    if (/\p{Cc}/u.test(value))
      throw new ArgumentError(path, `${path}: the environment variable ${variable} holds a control character`)
    return value
  })
}

function wrong(path: string, text: string, problem: string): ArgumentError {
  const variables = referencesIn(text).map((name) => `\${env:${name}}`)
  return new ArgumentError(path, `${path}: what ${variables.join(' and ')} gives ${problem}`)
}
