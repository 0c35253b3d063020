import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { startRedis } from '../../src/embedded/index.js'
import { onQuietMachine } from '../harness/machine.js'

const run = promisify(execFile)

/** The agent and its watcher live by heartbeats of a fraction of a second: on a machine that stands still it seems to hang. */
it('examples/agents.mjs sees an agent work, hang, die and come back', async (context) => {
  await onQuietMachine(context, tellsTheStory)
})

async function tellsTheStory(): Promise<void> {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const env = { ...process.env, REDIS_URL: server.url }
  const { stdout } = await run(process.execPath, ['examples/agents.mjs'], { env, timeout: 60_000 })
  const story = [
    /^agent-1 is healthy: heartbeat \d+ ms ago, progress \d+$/,
    /^agent-1 is degraded: heartbeats, but no progress beyond 20 for \d+ ms$/,
    // The look may come after the next probe, which finds the process gone; the event has the first.
    /^agent-1 is terminated: (?:ended with exit code 3|process \d+ does not run)$/,
    /^nobody gives it work any more: .*last: terminated \(ended with exit code 3\)$/,
    /^another agent-1 works: the fleet gives it work again$/,
  ]
  // The event and the look at the snapshot come by two ways, and other lines may stand between.
  const lines = stdout.trim().split('\n')
  for (const told of story) expect(lines).toContainEqual(expect.stringMatching(told))
  const places = story.map((told) => lines.findIndex((line) => told.test(line)))
  expect(places[0]).toBeLessThan(Number(places[1]))
  expect(places[1]).toBeLessThan(Number(places[3]))
  expect(places[3]).toBeLessThan(Number(places[4]))
}
