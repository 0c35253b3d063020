/**
 * Bytes that many may be sent at once, in pieces that are no copies: a client that does not read holds the bytes that there
 * are, and none of its own.
 */
export function sharedBody(content: Uint8Array, type: string): Response {
  let at = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const end = at + PIECE_BYTES
        controller.enqueue(content.subarray(at, end))
        at = end
        if (at >= content.byteLength) controller.close()
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { headers: { 'content-type': type } })
}

const PIECE_BYTES = 131_072
