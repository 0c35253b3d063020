import { RedisUnavailableError, type RedisFailure } from '../model/errors.js'
import { redactError } from '../model/redact.js'
import { shorten } from '../model/text.js'

/** What an error of Redis means, and what to do about it. */
interface Meaning {
  readonly words: string
  readonly failure: RedisFailure
  /** Whether it refuses this whole process, not this one command. */
  readonly lockedOut?: true
}

const NO_RIGHT: Meaning = {
  words: 'this Redis user lacks a right; docs/operations.md lists those that Busbar needs',
  failure: 'permanent',
}

/** By the first word of Redis's answer. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  READONLY: {
    words:
      'this server is a replica and takes no writes: a failover is under way, or the address names a replica; ' +
      'give the address of the master, or those of the Sentinels',
    failure: 'refuses_writes',
  },
  LOADING: {
    words: 'Redis is still loading its data from disk; it serves when that is done',
    failure: 'transient',
  },
  BUSY: {
    words:
      'a script has kept Redis busy for longer than its lua-time-limit; SCRIPT KILL ends one that has not written',
    failure: 'transient',
  },
  OOM: {
    words:
      'Redis has used up its maxmemory and takes no more writes; give it more, or move what else is kept there, ' +
      'and leave maxmemory-policy at noeviction',
    failure: 'refuses_writes',
  },
  NOAUTH: {
    words: 'Redis asks for a password and none was given; put it into the address',
    failure: 'permanent',
    lockedOut: true,
  },
  WRONGPASS: {
    words: 'Redis does not know this user and password, or the user is off; correct the address',
    failure: 'permanent',
    lockedOut: true,
  },
  NOPERM: NO_RIGHT,
  DENIED: {
    words:
      'Redis runs in protected mode and takes connections of its own machine only; set a password and bind',
    failure: 'permanent',
    lockedOut: true,
  },
  CLUSTERDOWN: {
    words:
      'the Cluster serves not all of its slots: a failover is under way, or a master has no replica left',
    failure: 'transient',
  },
  MOVED: {
    words:
      'this server is a node of a Cluster, and keeps not all keys; ' +
      'give several nodes of it, as redis+cluster://host:port,host:port',
    failure: 'permanent',
    lockedOut: true,
  },
  ASK: {
    words:
      'a slot of the Cluster is being moved; give several nodes of it, as redis+cluster://host:port,host:port',
    failure: 'transient',
  },
  TRYAGAIN: { words: 'a slot of the Cluster is being moved; it passes', failure: 'transient' },
  CROSSSLOT: {
    words: 'keys of one command lie in several slots of the Cluster; this is a fault of Busbar, report it',
    failure: 'permanent',
  },
  MASTERDOWN: {
    words:
      'this server is a replica that has lost its master, and serves nothing until it is back or replaced',
    failure: 'transient',
  },
  WRONGTYPE: {
    words: 'a key of Busbar holds something of another type; busbar doctor names it',
    failure: 'permanent',
  },
  NOREPLICAS: {
    words: 'the master misses the replicas that its min-replicas-to-write asks for',
    failure: 'refuses_writes',
  },
  MISCONF: {
    words:
      'Redis cannot save to its disk and therefore takes no writes; look at its log, and at the space on the disk',
    failure: 'refuses_writes',
  },
}

/** Answers without a word of their own, and errors of the network that people meet. */
const OTHERS: readonly (readonly [RegExp, Meaning])[] = [
  [/^ERR The user executing the script can't|ACL failure in script/, NO_RIGHT],
  [
    /^ERR max number of clients/,
    { words: 'Redis has as many connections as its maxclients allows', failure: 'transient' },
  ],
  [
    /^ERR This instance has cluster support disabled/,
    {
      words: 'this server is not a node of a Cluster; give its address as redis://host:port',
      failure: 'permanent',
      lockedOut: true,
    },
  ],
  [
    /self.signed certificate|unable to (verify|get)[\w ]* certificate/i,
    {
      words: 'the certificate is not trusted here; give its authority as tls.ca',
      failure: 'permanent',
      lockedOut: true,
    },
  ],
  [
    /certificate has expired/i,
    { words: 'the certificate of Redis has expired', failure: 'permanent', lockedOut: true },
  ],
  [
    /does not match certificate's altnames/i,
    {
      words: 'the certificate is for another host; connect by a name that is in it',
      failure: 'permanent',
      lockedOut: true,
    },
  ],
  [
    /wrong version number|packet length too long/i,
    {
      words: 'this port does not speak TLS; give redis:// instead of rediss://, or the port of TLS',
      failure: 'permanent',
      lockedOut: true,
    },
  ],
]

/** Before Redis 7 an error within a script comes wrapped in another. */
const WRAPPED = /^ERR Error running script .*: -?(?=[A-Z]{3,} )/s
const MAX_SAID = 200

/**
 * The one place that knows how ioredis and Redis fail. `doing` names what was asked, `timeoutMs` how long was waited.
 * The cause keeps the original; its message has the words.
 */
export function unavailable(doing: string, error: unknown, timeoutMs: number): RedisUnavailableError {
  if (!(error instanceof Error)) return new RedisUnavailableError(doing, redactError(error))
  // ioredis hangs the whole command on its errors: passwords, headers, values.
  return explain(doing, redactError(error), timeoutMs)
}

function explain(doing: string, error: Error, timeoutMs: number): RedisUnavailableError {
  const inner = innermost(error)
  const own = ownWords(inner.message, timeoutMs)
  if (own !== undefined) return new RedisUnavailableError(doing, new Error(own, { cause: error }))
  const meaning = meaningOf(inner.message)
  if (meaning === undefined) {
    return new RedisUnavailableError(doing, inner, inner.name === 'ReplyError' ? 'permanent' : 'unanswered')
  }
  const said = shorten(inner.message, MAX_SAID, '...')
  const cause = new Error(`${meaning.words} (it said: ${said})`, { cause: error })
  return new RedisUnavailableError(doing, cause, meaning.failure, meaning.lockedOut)
}

function meaningOf(message: string): Meaning | undefined {
  const text = message.replace(WRAPPED, '')
  const word = /^[A-Z]+(?= )/.exec(text)?.[0] ?? ''
  if (Object.hasOwn(MEANINGS, word)) return MEANINGS[word]
  return OTHERS.find(([pattern]) => pattern.test(text))?.[1]
}

/** A Cluster of which no node answers says so, and keeps why in a field. */
function innermost(error: Error): Error {
  const last: unknown = Reflect.get(error, 'lastNodeError')
  return last instanceof Error ? last : error
}

/** Some of ioredis's errors have no code, and words of its own: people read them at night. */
function ownWords(message: string, timeoutMs: number): string | undefined {
  if (message === 'Command timed out') return `no answer within ${timeoutMs} ms`
  const away =
    /^(Stream isn't writeable|Connection is closed|Cluster isn't ready|Cluster is ended|None of startup nodes|Reached the max retries)/
  return away.test(message) ? 'not connected' : undefined
}
