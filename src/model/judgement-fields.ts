/** The settings of the rate rules and the quorum: part of the table in `setting-fields.ts`, whose type holds them. */
export const JUDGEMENT_FIELDS = {
  failureRate: {
    type: 'number',
    min: 0.05,
    max: 1,
    since: 2,
    meaning: 'share of failed calls in the rate window that opens the circuit',
  },
  degradedRate: {
    type: 'number',
    min: 0.05,
    max: 1,
    since: 2,
    meaning:
      'share of degraded or failed calls in the rate window that opens the circuit; a degraded trial then is a failed trial',
  },
  minimumCalls: {
    type: 'whole',
    min: 2,
    max: 10_000,
    default: 20,
    since: 2,
    meaning: 'calls in the rate window below which no rate is judged',
  },
  rateWindowMs: {
    type: 'whole',
    min: 1_000,
    max: 600_000,
    unit: 'ms',
    default: 10_000,
    since: 2,
    meaning: 'width of the rate window',
  },
  quorum: {
    type: 'whole',
    min: 1,
    max: 3,
    default: 1,
    since: 2,
    meaning: 'distinct failure domains that must have seen failures before a rule opens the circuit',
  },
  quorumGraceMs: {
    type: 'whole',
    min: 100,
    max: 600_000,
    unit: 'ms',
    default: 5_000,
    since: 2,
    meaning: 'after this long without a success of another domain, one failure domain is believed alone',
  },
} as const
