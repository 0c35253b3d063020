// Real clients behind guards, all used alike: `get(url, signal)` answers `{ status, body }`, whatever the status;
// `endless(url, signal, onData)` reads a body that has no end. Plain JavaScript, as calls.mjs.
import { Buffer } from 'node:buffer'
import OpenAI from 'openai'
import * as undici from 'undici'
import * as undici6 from 'undici-6'

const ofFetch = (call) => ({
  get: async (url, signal) => {
    const response = await call(url, { signal })
    return { status: response.status, body: Buffer.from(await response.arrayBuffer()) }
  },
  endless: async (url, signal, onData) => {
    const response = await call(url, { signal })
    for await (const chunk of response.body) onData(chunk)
  },
})

function fetchOver({ Agent, fetch }, interceptor) {
  const dispatcher = new Agent({ connections: 1 }).compose(interceptor)
  return ofFetch((url, init) => fetch(url, { ...init, dispatcher }))
}

function requestOver({ Agent, request }, interceptor) {
  const dispatcher = new Agent({ connections: 1 }).compose(interceptor)
  return {
    redirects: false,
    get: async (url, signal) => {
      const { statusCode, body } = await request(url, { dispatcher, signal })
      return { status: statusCode, body: Buffer.from(await body.arrayBuffer()) }
    },
    endless: async (url, signal, onData) => {
      const { body } = await request(url, { dispatcher, signal })
      for await (const chunk of body) onData(chunk)
    },
  }
}

export const guardsOf = {
  fetch: (guarded) => ofFetch(guarded),
  undiciFetch: (guardFetch, options) => ofFetch(guardFetch(undici.fetch, options)),
  undiciFetchOver: (interceptor) => fetchOver(undici, interceptor),
  undici6FetchOver: (interceptor) => fetchOver(undici6, interceptor),
  nodeFetchOver: (interceptor) => {
    const dispatcher = new undici.Agent({ connections: 1 }).compose(interceptor)
    return ofFetch((url, init) => fetch(url, { ...init, dispatcher }))
  },
  undiciRequest: (interceptor) => requestOver(undici, interceptor),
  undici6Request: (interceptor) => requestOver(undici6, interceptor),
  axios: (client) => ({
    get: async (url, signal) => {
      const options = { signal, responseType: 'arraybuffer', proxy: false }
      const response = await client.get(url, options).catch((error) => {
        if (error.response === undefined) throw error
        return error.response
      })
      return { status: response.status, body: response.data }
    },
    endless: async (url, signal, onData) => {
      const { data } = await client.get(url, { signal, responseType: 'stream', proxy: false })
      for await (const chunk of data) onData(chunk)
    },
  }),
  got: (client) => ({
    get: async (url, signal) => {
      const options = { signal, responseType: 'buffer', retry: { limit: 0 }, throwHttpErrors: false }
      const { statusCode, body } = await client(url, options)
      return { status: statusCode, body }
    },
  }),
}

export const openaiWith = (guarded, url) => () =>
  new OpenAI({ apiKey: 'x', baseURL: url, maxRetries: 0, fetch: guarded }).chat.completions.create({
    model: 'm',
    messages: [],
  })
