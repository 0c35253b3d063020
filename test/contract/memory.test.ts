import { MemoryStore } from '../../src/memory/store.js'
import type { Change } from '../../src/model/events.js'
import { START_MS } from '../harness/clock.js'
import { storeContract } from './store.contract.js'

storeContract('memory', () => {
  let nowMs = START_MS
  const changes: Change[] = []
  const store = new MemoryStore({ now: () => nowMs }, (change) => changes.push(change))
  return Promise.resolve({
    store,
    changes,
    nowMs: () => nowMs,
    advance: (ms) => {
      nowMs += ms
      return Promise.resolve()
    },
    set: (ms) => {
      nowMs = ms
      return Promise.resolve()
    },
    leftovers: async (id) => {
      const listed = (await store.providers()).filter((provider) => provider.id === id).map(() => 'list')
      const settings = (await store.settings(id)) === null ? [] : ['settings']
      const events = (await store.events(id, 1)).length === 0 ? [] : ['events']
      const history = (await store.history(id, 1, 0)).length === 0 ? [] : ['history']
      return [...listed, ...settings, ...events, ...history]
    },
  })
})
