import { RECOVERIES } from './settings.js'

const DAY = 86_400_000

/**
 * The settings of what follows an opening or a pause: how long calls are refused and whether at all, the trials, and the way
 * back to full load. Part of the table in `setting-fields.ts`, whose type holds them.
 */
export const RECOVERY_FIELDS = {
  cooldownMs: {
    type: 'whole',
    min: 1,
    max: 30 * DAY,
    unit: 'ms',
    default: 30_000,
    since: 2,
    meaning: 'how long it stays open before trials begin',
  },
  successThreshold: {
    type: 'whole',
    min: 1,
    max: 1_000_000,
    default: 1,
    since: 2,
    meaning: 'successes in half-open that close it',
  },
  halfOpenMaxTrials: {
    type: 'whole',
    min: 1,
    max: 1_000,
    default: 1,
    since: 2,
    meaning: 'trials at once, in the whole fleet',
  },
  trialLeaseMs: {
    type: 'whole',
    min: 1,
    max: DAY,
    unit: 'ms',
    default: 30_000,
    since: 2,
    meaning:
      'how long a trial may hold its slot; a call with a longer `timeoutMs` holds it that long and 1 s',
  },
  cooldownMultiplier: {
    type: 'number',
    min: 1,
    max: 100,
    default: 1,
    since: 2,
    meaning: 'each re-opening multiplies the cooldown by this, until the circuit closes',
  },
  maxCooldownMs: {
    type: 'whole',
    min: 1,
    max: 30 * DAY,
    unit: 'ms',
    default: 600_000,
    since: 2,
    meaning:
      'the cooldown grows no further; where `cooldownMs` is longer than the default, that is the default',
  },
  cooldownJitter: {
    type: 'number',
    min: 0,
    max: 1,
    default: 0,
    since: 2,
    meaning: 'each cooldown is lengthened by a random share of itself, up to this',
  },
  maxThrottleMs: {
    type: 'whole',
    min: 1,
    max: DAY,
    unit: 'ms',
    default: 600_000,
    since: 2,
    meaning: 'the longest pause after a 429, whatever `Retry-After` asks for',
  },
  enforce: {
    type: 'flag',
    default: true,
    since: 2,
    meaning: '`false`: everything is computed, counted and announced, and nothing is refused',
  },
  recovery: {
    type: 'word',
    words: RECOVERIES,
    default: 'both',
    since: 2,
    meaning:
      'whose trials may close the circuit: those of calls, of probes (needs the setting `probe`), or of whichever comes first',
  },
  recoveryRampMs: {
    type: 'whole',
    min: 0,
    max: 3_600_000,
    unit: 'ms',
    default: 0,
    since: 2,
    meaning:
      'after trials closed the circuit, calls are let through at a share that grows from 10 % to 100 % in this time; 0: all at once',
  },
} as const
