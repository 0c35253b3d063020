import { Refused } from './problem.js'

/** The longest body of a write, bytes. */
export const MAX_BODY_BYTES = 65_536

/** The JSON of a write. It stops reading where the body is too long, whatever its Content-Length says. */
export async function readJson(request: Request): Promise<unknown> {
  const type = request.headers.get('content-type') ?? ''
  // A form of another site can send text/plain and the two kinds of forms, but no JSON.
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new Refused('body_not_json', 'send the body as content-type: application/json')
  }
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) throw tooLarge()
  const text = await readText(request)
  try {
    return JSON.parse(text)
  } catch {
    throw new Refused('body_not_json', 'the body is not JSON')
  }
}

export async function readText(request: Request): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  if (request.body === null) return ''
  // The body of a request is bytes, which the types of fetch do not say.
  for await (const chunk of request.body as ReadableStream<Uint8Array>) {
    length += chunk.byteLength
    if (length > MAX_BODY_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const tooLarge = (): Refused =>
  new Refused('body_too_large', `the body is longer than ${MAX_BODY_BYTES} bytes`)
