import type { ProbeFinding, ProberError, RedisProbeSettings } from '../../model/probe.js'
import { toText } from '../../model/text.js'
import { failure, type UntimedFinding } from './explain.js'
import { addressIn, ANY_WORKER, type KindOfProbe } from './kind.js'
import { encodeCommand, NotRedisError, readReplies, RESP_LIMIT, type RespReply } from './resp.js'
import { overSocket, type Talk, type Target } from './socket.js'
import { timed } from './timed.js'

/**
 * A PING, after AUTH and before ROLE where they are asked for, all in one packet. It speaks the protocol by hand, over a
 * connection of its own: see `resp.ts`. Never rejects.
 */
export function probeRedis(
  settings: RedisProbeSettings,
  environment: Environment = process.env,
): Promise<ProbeFinding> {
  const unable = missingCredentials(settings, environment)
  if (unable !== undefined) return Promise.resolve(unable)
  return timed(settings, () => {
    const talk = converse(settings, commandsOf(settings, environment))
    return overSocket(targetOf(settings.url), settings.timeoutMs, talk)
  })
}

export const redisKind: KindOfProbe<RedisProbeSettings> = {
  ...ANY_WORKER,
  run: (probe) => probeRedis(probe),
  unable: (probe) => missingCredentials(probe),
  address: ({ url }) => addressIn(url),
  judgesSnapshot: false,
}

type Environment = Readonly<Record<string, string | undefined>>

/** Why this worker cannot even ask; undefined when it can. */
export function missingCredentials(
  { usernameEnv, passwordEnv }: RedisProbeSettings,
  environment: Environment = process.env,
): ProberError | undefined {
  const missing = [usernameEnv, passwordEnv].find(
    (variable) => variable !== undefined && (environment[variable] ?? '') === '',
  )
  if (missing === undefined) return undefined
  return { kind: 'prober_error', reason: `the environment variable ${missing} is not set in this worker` }
}

type Command = readonly [name: string, ...args: string[]]

function commandsOf(
  { usernameEnv, passwordEnv, role }: RedisProbeSettings,
  environment: Environment,
): readonly Command[] {
  const credentials = [usernameEnv, passwordEnv].flatMap((variable) =>
    variable === undefined ? [] : [environment[variable] ?? ''],
  )
  return [
    ...(credentials.length === 0 ? [] : [['AUTH', ...credentials] as const]),
    ['PING'],
    ...(role === undefined ? [] : [['ROLE'] as const]),
  ]
}

function targetOf(url: string): Target {
  if (url.startsWith('/')) return { at: { path: url } }
  const { hostname, port, protocol } = new URL(url)
  const at = { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? DEFAULT_PORT : Number(port) }
  return protocol === 'rediss:' ? { at, tls: { rejectUnauthorized: true } } : { at }
}

const DEFAULT_PORT = 6_379

function converse(settings: RedisProbeSettings, commands: readonly Command[]): Talk {
  return (socket, answer) => {
    let bytes: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk.subarray(0, RESP_LIMIT - bytes.length)])
      try {
        const replies = readReplies(bytes, commands.length)
        const finding = judge(settings, commands, replies)
        if (finding !== undefined) answer(finding)
        else if (bytes.length >= RESP_LIMIT) throw new NotRedisError()
      } catch (error) {
        answer(
          error instanceof NotRedisError
            ? { kind: 'judged', status: 'unhealthy', detail: error.message }
            : failure(error),
        )
      }
    })
    socket.write(commands.map((command) => encodeCommand(...command)).join(''))
  }
}

/** Undefined while a reply is missing that could still change the verdict. */
function judge(
  { role }: RedisProbeSettings,
  commands: readonly Command[],
  replies: readonly RespReply[],
): UntimedFinding | undefined {
  for (const [i, reply] of replies.entries()) {
    const command = commands[i]?.[0] ?? ''
    if (reply.type === 'error')
      return { kind: 'judged', status: 'unhealthy', detail: `${command}: ${printable(reply.text)}` }
    if (command === 'PING' && (reply.type !== 'text' || reply.text !== 'PONG')) throw new NotRedisError()
  }
  if (replies.length < commands.length) return undefined
  const found = role === undefined ? undefined : roleOf(replies.at(-1))
  if (found === role)
    return { kind: 'judged', status: 'healthy', detail: role === undefined ? 'PONG' : `PONG, ${role}` }
  return {
    kind: 'judged',
    status: 'unhealthy',
    detail: `PONG, but the role is ${found ?? 'unknown'}, not ${role ?? 'any'}`,
  }
}

/** Redis says `slave`; so does Valkey. */
function roleOf(reply: RespReply | undefined): string {
  const first = reply?.type === 'array' ? reply.items[0] : undefined
  const said = first?.type === 'text' ? printable(first.text) : 'unknown'
  return said === 'slave' ? 'replica' : said
}

const printable = (text: string): string => toText(text.replaceAll(/\p{Cc}/gu, ' '), 100)
