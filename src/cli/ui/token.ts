import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { wrongCall } from '../failure.js'

const MIN_LENGTH = 16
const VARIABLE = 'BUSBAR_TOKEN'

/** The token of the environment; undefined where there is none. @throws CliError for one that is too short */
export function tokenFromEnvironment(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const token = env[VARIABLE] ?? ''
  if (token === '') return undefined
  if (token.length >= MIN_LENGTH) return token
  throw wrongCall(`${VARIABLE} has ${token.length} characters; it needs ${MIN_LENGTH} or more`)
}

export const makeToken = (): string => randomBytes(24).toString('base64url')

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Takes as long for a wrong text as for the right one, whatever its length. */
export const isSame = (given: string, expected: string): boolean =>
  timingSafeEqual(digest(given), digest(expected))

/**
 * The sessions of one token. The cookie has a value that is made from the token, so that a stolen cookie does not give the
 * token away, and a new token ends all sessions.
 */
export class Sessions {
  readonly #token: string
  readonly #value: string
  /** Where it is served. Cookies do not know ports: two servers on one machine must not share a name. */
  port = 0

  constructor(token: string) {
    this.#token = token
    this.#value = createHmac('sha256', token).update('busbar session').digest('base64url')
  }

  accepts(token: string): boolean {
    return isSame(token, this.#token)
  }

  get #cookie(): string {
    return `busbar_${this.port}`
  }

  setCookie(): string {
    return `${this.#cookie}=${this.#value}; Path=/; HttpOnly; SameSite=Strict`
  }

  /** By the cookie, or by `Authorization: Bearer <token>`. */
  has(request: Request): boolean {
    const [, bearer] = /^Bearer (\S+)$/i.exec(request.headers.get('authorization') ?? '') ?? []
    if (bearer !== undefined) return this.accepts(bearer)
    const cookies = (request.headers.get('cookie') ?? '').split(/;\s*/)
    const own = cookies.find((cookie) => cookie.startsWith(`${this.#cookie}=`))
    return own !== undefined && isSame(own.slice(this.#cookie.length + 1), this.#value)
  }
}
