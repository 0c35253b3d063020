// Starts the workers of this folder as processes of their own, and asks them to do things.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/**
 * Starts `<name>.mjs` with a job and resolves when it has connected. It ends with its parent, however that ends: the
 * channel between them closes then.
 */
export async function forkWorker(name, job, { execArgv = [], env = {} } = {}) {
  const script = fileURLToPath(new URL(`${name}.mjs`, import.meta.url))
  const child = fork(script, [], {
    execArgv,
    env: { ...process.env, ...env, BUSBAR_TEST_JOB: JSON.stringify(job) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const asked = new Map()
  let number = 0
  let gone
  const exited = once(child, 'exit').then(([code, signal]) => {
    gone = new Error(`worker ${name} (pid ${child.pid}) ended with ${signal ?? code}`)
    for (const { reject } of asked.values()) reject(gone)
    asked.clear()
  })
  const ready = new Promise((resolve) => {
    child.on('message', (message) => {
      if (message.ready === true) return resolve()
      const { answer, error } = message
      if (error === undefined) asked.get(message.number)?.resolve(answer)
      else asked.get(message.number)?.reject(Object.assign(new Error(error.message), { code: error.code }))
      asked.delete(message.number)
    })
  })
  await Promise.race([ready, exited])
  if (gone !== undefined) throw gone
  return {
    pid: child.pid,
    exited,
    ask: (action, ...args) =>
      new Promise((resolve, reject) => {
        if (gone !== undefined) return reject(gone)
        number += 1
        asked.set(number, { resolve, reject })
        child.send({ number, action, args })
      }),
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
}
