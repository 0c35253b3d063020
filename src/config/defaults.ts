import { SETTING_FIELDS, type SettingField, type ValuesOf } from '../model/setting-fields.js'

const SECOND = 1_000

const defaultsOf = <G extends 'breaker' | 'history'>(group: G): ValuesOf<G> =>
  // One value for each field of the group, but for those that have no default.
  Object.freeze(
    Object.fromEntries(
      Object.entries<SettingField>(SETTING_FIELDS[group])
        .filter(([, field]) => field.default !== undefined)
        .map(([name, field]) => [name, field.default]),
    ),
  ) as unknown as ValuesOf<G>

/** Every default there is, in one frozen table; a test pins it. */
export const DEFAULTS = Object.freeze({
  breaker: defaultsOf('breaker'),
  history: defaultsOf('history'),
  /** Defaults of every kind of probe. */
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
  /** Defaults that are not stored: an older version goes on with probes that do not use these settings. */
  httpRoute: Object.freeze({ proxy: 'env' as const, http2: false }),
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
  alerts: Object.freeze({
    on: Object.freeze([
      'opened',
      'closed',
      'reset',
      'probe_overdue',
      'worker_suspected',
      'worker_cleared',
    ] as const),
    groupMs: 10 * SECOND,
    retryMs: 5 * SECOND,
  }),
  /** Of `guard` in `busbar/bullmq`. */
  guard: Object.freeze({
    spreadMs: SECOND,
    maxDeferMs: 86_400 * SECOND,
    deferOn: 'refusal' as const,
    outageWaitMs: SECOND,
    deferOnly: false,
  }),
  family: Object.freeze({ maxHandles: 1_000, idleExpireMs: 7 * 86_400 * SECOND }),
})
