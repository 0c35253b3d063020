import { createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { resolveSettings } from '../../src/config/settings.js'
import type { ProbeSettings } from '../../src/model/probe.js'
import { LocalNetworkCheck } from '../../src/probes/local-network-check.js'

function tcp(host: string, port = 443): ProbeSettings {
  const { probe } = resolveSettings({ probe: { kind: 'tcp', host, port } })
  if (probe === undefined) throw new Error('the probe was not taken')
  return probe
}

/** A name that no resolver knows, as all names are to a worker without a network. */
const unreachable = (name: string) => tcp(`${name}.invalid`)

async function listening(): Promise<ProbeSettings> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return tcp('127.0.0.1', address.port)
}

describe('a worker that reaches nobody', () => {
  it('is told from a provider that cannot be reached by those that answered before', async () => {
    const neighbours = new LocalNetworkCheck()
    for (const name of ['a', 'b', 'c']) neighbours.answered(unreachable(name))
    expect(await neighbours.allUnreachable(unreachable('d'), 'network')).toBe(true)
  })

  it('is none while one of them is reached', async () => {
    const neighbours = new LocalNetworkCheck()
    neighbours.answered(await listening())
    neighbours.answered(unreachable('a'))
    expect(await neighbours.allUnreachable(unreachable('d'), 'network')).toBe(false)
  })

  it('is none while one of them refuses the connection: it was reached', async () => {
    const neighbours = new LocalNetworkCheck()
    neighbours.answered(tcp('127.0.0.1', 1))
    expect(await neighbours.allUnreachable(unreachable('d'), 'network')).toBe(false)
  })

  it('cannot be told without another host', async () => {
    const neighbours = new LocalNetworkCheck()
    expect(await neighbours.allUnreachable(unreachable('d'), 'network')).toBe(false)
    neighbours.answered(unreachable('d'))
    expect(await neighbours.allUnreachable(unreachable('d'), 'network')).toBe(false)
  })

  it('asks the three that answered last', async () => {
    const neighbours = new LocalNetworkCheck()
    neighbours.answered(await listening())
    for (const name of ['a', 'b', 'c']) neighbours.answered(unreachable(name))
    expect(await neighbours.allUnreachable(unreachable('d'), 'network')).toBe(true)
  })

  it('takes no address for a witness of name resolution: it is reached without', async () => {
    const neighbours = new LocalNetworkCheck()
    neighbours.answered(await listening())
    neighbours.answered(tcp('localhost', 1))
    expect(await neighbours.allUnreachable(unreachable('d'), 'name_resolution'), 'nobody to ask').toBe(false)
    neighbours.answered(unreachable('a'))
    expect(await neighbours.allUnreachable(unreachable('d'), 'name_resolution')).toBe(true)
    expect(await neighbours.allUnreachable(unreachable('d'), 'network')).toBe(false)
  })
})
