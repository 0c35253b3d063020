// The handler in the servers that people use, each at a path.
import { createServer, request as httpRequest } from 'node:http'
import { serve as serveHono } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'

const listening = (server) =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(running(server)))
  })

const running = (server) => ({
  url: `http://127.0.0.1:${server.address().port}`,
  close: () => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  },
})

/** `mount`: `/`, or a path without a slash at its end. */
export const SERVERS = {
  'node:http': ({ node }, mount) =>
    listening(
      createServer((request, response) => {
        const [path] = request.url.split('?')
        const here = mount === '/' || path === mount || path.startsWith(`${mount}/`)
        if (here) node(request, response)
        else response.writeHead(404).end()
      }),
    ),

  Express: ({ node }, mount) => {
    const app = express()
    app.use(mount, node)
    app.use((_request, response) => response.status(404).end())
    return listening(createServer(app))
  },

  'Express with a parser of bodies': ({ node }, mount) => {
    const app = express()
    app.use(express.json())
    app.use(mount, node)
    return listening(createServer(app))
  },

  Fastify: async ({ handler, plugin }, mount) => {
    const app = fastify({ forceCloseConnections: true })
    app.register(plugin, { handler, ...(mount === '/' ? {} : { prefix: mount }) })
    app.get('/elsewhere', () => 'elsewhere')
    await app.listen({ port: 0, host: '127.0.0.1' })
    return { ...running(app.server), close: () => app.close() }
  },

  /** By default Hono makes `/` of the path where it is mounted, also of one without a slash: nothing could lead to the slash. */
  'Hono, mounted': ({ handler }, mount) =>
    listeningHono(new Hono().mount(mount, handler, { replaceRequest: false })),

  'Hono, by a route': ({ handler }, mount) => {
    const app = new Hono()
    const run = (context) => handler(context.req.raw)
    if (mount !== '/') app.all(mount, run)
    app.all(mount === '/' ? '/*' : `${mount}/*`, run)
    return listeningHono(app)
  },
}

const listeningHono = (app) =>
  new Promise((resolve) => {
    const server = serveHono({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () =>
      resolve(running(server)),
    )
  })

/** A proxy that strips `prefix` and passes the Host on. */
export const startProxy = (target, prefix) =>
  listening(
    createServer((request, response) => {
      if (!request.url.startsWith(`${prefix}/`)) {
        response.writeHead(404).end()
        return
      }
      const { hostname, port } = new URL(target)
      const path = request.url.slice(prefix.length)
      const asked = httpRequest(
        { hostname, port, path, method: request.method, headers: request.headers },
        (answer) => {
          response.writeHead(answer.statusCode, answer.headers)
          answer.pipe(response)
        },
      )
      asked.on('error', () => response.destroy())
      response.on('close', () => asked.destroy())
      request.pipe(asked)
    }),
  )
