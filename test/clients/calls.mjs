// Calls made with real clients, each against a server that answers as its path says. What they return or throw is judged
// by clients.test.ts. Plain JavaScript: the packages, and their types, are there only where test/clients/ was installed.
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { Writable } from 'node:stream'
import Anthropic from '@anthropic-ai/sdk'
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb'
import * as grpc from '@grpc/grpc-js'
import axios from 'axios'
import axios0 from 'axios-0'
import got from 'got'
import OpenAI from 'openai'
import superagent from 'superagent'
import * as undici from 'undici'

/** `/<status>`, with `retry-after: 7` for `/<status>/later`; `/hang` never answers, `/reset` and `/cut` break off. */
export async function startServer() {
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const [, what = '', how = ''] = pathname.split('/')
    if (what === 'hang') return
    if (what === 'reset') return void request.socket.destroy()
    if (what === 'cut') {
      response.writeHead(200, { 'content-length': 1_000 })
      response.write('{')
      return void setTimeout(() => request.socket.destroy(), 20)
    }
    const headers = { 'content-type': 'application/json' }
    if (how === 'later') headers['retry-after'] = '7'
    response.writeHead(Number(what), headers)
    response.end(JSON.stringify({ error: { message: 'm', type: 't' }, __type: how, message: 'm' }))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const closed = net.createServer()
  await once(closed.listen(0, '127.0.0.1'), 'listening')
  const { port: closedPort } = closed.address()
  closed.close()
  await once(closed, 'close')
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    closedUrl: `http://127.0.0.1:${closedPort}`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** A gRPC server that fails with the number that it is sent; 0 is never answered. */
export async function startGrpc() {
  const bytes = (value) => value
  const method = {
    ...{ path: '/test.Test/Call', requestStream: false, responseStream: false },
    ...{ requestSerialize: bytes, requestDeserialize: bytes },
    ...{ responseSerialize: bytes, responseDeserialize: bytes },
  }
  const server = new grpc.Server()
  server.addService(
    { Call: method },
    {
      Call: (call, answer) => {
        const code = Number(call.request.toString())
        if (code > 0) answer({ code, details: 'no' })
      },
    },
  )
  const port = await new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
  const Client = grpc.makeGenericClientConstructor({ Call: method }, 'Test')
  const client = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure())
  const call = (code, options = {}, begun = () => undefined) =>
    new Promise((resolve, reject) => {
      const pending = client.Call(Buffer.from(String(code)), options, (error, value) =>
        error === null ? resolve(value) : reject(error),
      )
      begun(pending)
    })
  return {
    code: (code) => call(code),
    deadline: () => call(0, { deadline: Date.now() + 100 }),
    cancel: () => call(0, {}, (pending) => setTimeout(() => pending.cancel(), 50)),
    close: () => {
      client.close()
      server.forceShutdown()
    },
  }
}

const nodeHttp = (url, { signal, timeoutMs, headers } = {}) =>
  new Promise((resolve, reject) => {
    const request = http.get(url, { signal, headers }, (response) => resolve(response.resume()))
    request.on('error', reject)
    if (timeoutMs === undefined) return
    const error = Object.assign(new Error('late'), { code: 'ETIMEDOUT' })
    request.setTimeout(timeoutMs, () => request.destroy(error))
  })

const openai = (url, options = {}, call = {}) =>
  new OpenAI({ apiKey: 'x', baseURL: url, maxRetries: 0, ...options }).chat.completions.create(
    { model: 'm', messages: [] },
    call,
  )
const anthropic = (url, options = {}, call = {}) =>
  new Anthropic({ apiKey: 'x', baseURL: url, maxRetries: 0, ...options }).messages.create(
    { model: 'm', max_tokens: 1, messages: [] },
    call,
  )
const aws = (url, options = {}, call = {}) =>
  new DynamoDBClient({
    ...{ region: 'x', endpoint: url, maxAttempts: 1 },
    ...{ credentials: { accessKeyId: 'x', secretAccessKey: 'x' } },
    requestHandler: { requestTimeout: 100, throwOnRequestTimeout: true },
    ...options,
  }).send(new ListTablesCommand({}), call)

const dumped = async (call) => {
  const response = await call
  await response.body.dump()
  return response
}

/**
 * Each client: how it calls a URL, calls it with a signal, and with a time limit of its own; `returned` where it has a way to
 * give a failed response back instead of throwing.
 */
export const CLIENTS = {
  fetch: {
    call: (url) => fetch(url),
    signal: (url, signal) => fetch(url, { signal }),
    unsendable: (url) => fetch(url, { headers: { 'x-key': 'a\nb' } }),
  },
  'undici.fetch': {
    call: (url) => undici.fetch(url),
    signal: (url, signal) => undici.fetch(url, { signal }),
  },
  'undici.request': {
    call: (url) => dumped(undici.request(url)),
    signal: (url, signal) => undici.request(url, { signal }),
    limit: (url) => undici.request(url, { headersTimeout: 100 }),
    unsendable: (url) => undici.request(url, { headers: { 'x-key': 'a\nb' } }),
  },
  'undici.request, responseError': {
    call: (url) =>
      undici.request(url, { dispatcher: new undici.Agent().compose(undici.interceptors.responseError()) }),
  },
  'undici.stream, judge': {
    call: (url, judge) =>
      undici.stream(url, {}, ({ statusCode, headers }) => {
        judge({ statusCode, headers })
        return new Writable({ write: (chunk, encoding, done) => done() })
      }),
  },
  'node:http': {
    call: (url) => nodeHttp(url),
    signal: (url, signal) => nodeHttp(url, { signal }),
    limit: (url) => nodeHttp(url, { timeoutMs: 100 }),
    unsendable: (url) => nodeHttp(url, { headers: { 'x-key': 'a\nb' } }),
  },
  'axios 1.x': {
    call: (url) => axios.get(url),
    returned: (url) => axios.get(url, { validateStatus: () => true }),
    signal: (url, signal) => axios.get(url, { signal }),
    limit: (url) => axios.get(url, { timeout: 100 }),
  },
  'axios 0.x': {
    call: (url) => axios0.get(url),
    returned: (url) => axios0.get(url, { validateStatus: () => true }),
    signal: (url, signal) => axios0.get(url, { signal }),
    limit: (url) => axios0.get(url, { timeout: 100 }),
  },
  got: {
    call: (url) => got(url, { retry: { limit: 0 } }),
    returned: (url) => got(url, { retry: { limit: 0 }, throwHttpErrors: false }),
    signal: (url, signal) => got(url, { retry: { limit: 0 }, signal }),
    limit: (url) => got(url, { retry: { limit: 0 }, timeout: { request: 100 } }),
  },
  superagent: {
    // Its requests are thenables; a promise is what `execute` is given.
    call: async (url) => await superagent.get(url),
    returned: async (url) => await superagent.get(url).ok(() => true),
    limit: async (url) => await superagent.get(url).timeout({ response: 100 }),
    deadline: async (url) => await superagent.get(url).timeout({ deadline: 100 }),
    abort: async (url) => {
      const request = superagent.get(url)
      setTimeout(() => request.abort(), 50)
      return await request
    },
  },
  OpenAI: {
    call: (url) => openai(url),
    signal: (url, signal) => openai(url, {}, { signal }),
    limit: (url) => openai(url, { timeout: 100 }),
  },
  Anthropic: {
    call: (url) => anthropic(url),
    signal: (url, signal) => anthropic(url, {}, { signal }),
    limit: (url) => anthropic(url, { timeout: 100 }),
  },
  'AWS SDK v3': {
    call: (url) => aws(url),
    signal: (url, abortSignal) => aws(url, {}, { abortSignal }),
    limit: (url) => aws(url),
  },
}

/** AWS names what it means; the status is 400 for nearly all. */
export const awsError = (url, type) => aws(`${url}/400/${type}`)
