const SECOND = 1_000

/** Every default there is, in one frozen table; a test pins it. */
export const DEFAULTS = Object.freeze({
  breaker: Object.freeze({
    failureThreshold: 3,
    cooldownMs: 30 * SECOND,
    successThreshold: 1,
    halfOpenMaxTrials: 1,
    trialLeaseMs: 30 * SECOND,
    cooldownMultiplier: 1,
    maxCooldownMs: 600 * SECOND,
    cooldownJitter: 0,
    enforce: true,
    recovery: 'both' as const,
  }),
  history: Object.freeze({ maxRecords: 100_000, windowMs: 60 * SECOND, degradationThreshold: 0.8 }),
  /** Of every kind of probe. */
  probe: Object.freeze({
    intervalMs: 10 * SECOND,
    timeoutMs: 2 * SECOND,
    healthyAfter: 1,
    unhealthyAfter: 1,
  }),
  httpProbe: Object.freeze({
    method: 'GET' as const,
    headers: Object.freeze({}),
    expectStatus: Object.freeze(['2xx']),
  }),
  connect: Object.freeze({
    namespace: 'busbar',
    consistency: 'cached' as const,
    onRedisDown: 'local' as const,
    commandTimeoutMs: 200,
    flushIntervalMs: 100,
    maxBatchesPerSecond: 1_000,
    probeQueues: 1,
    unref: false,
  }),
  probes: Object.freeze({ concurrency: 16 }),
})
