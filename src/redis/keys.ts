/** The keys of one provider; one hash tag, so that a script stays in one slot of a Cluster. */
export const PROVIDER_KEYS = ['config', 'circuit', 'history', 'trials', 'events', 'batches'] as const
export type ProviderKey = (typeof PROVIDER_KEYS)[number]

export const providerKey = (namespace: string, id: string, key: ProviderKey): string =>
  `${namespace}:{${id}}:${key}`

/** Keys of the whole namespace. */
export const fleetKeys = (namespace: string) => ({
  meta: `${namespace}:meta`,
  providers: `${namespace}:providers`,
  workers: `${namespace}:workers`,
  /** A channel, not a key. */
  changes: `${namespace}:changes`,
})
