// Answers every request with a short JSON; says its port by IPC, and ends with its parent.
import { createServer } from 'node:http'

process.on('disconnect', () => process.exit())
const server = createServer((_, response) => response.end('{"status":"ok"}'))
server.listen(0, '127.0.0.1', () => process.send(server.address().port))
