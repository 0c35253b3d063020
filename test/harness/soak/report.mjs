// What the soak says at its end: which bounds were broken, and the first third of the samples beside the last.

const MIB = 1_048_576

/**
 * `ratio`: the last third's median to the first third's may be so much. `noise`: growth below it is none, whatever the
 * ratio: a heap that is young, a window of history that fills.
 */
const SIZES = {
  rss: { what: 'resident memory of a worker', unit: 'MiB', per: MIB, limit: 1.25, noise: 24 },
  heapUsed: { what: 'heap of a worker after gc', unit: 'MiB', per: MIB, limit: 1.25, noise: 6 },
  handles: { what: 'open handles of a worker', unit: '', per: 1, limit: 1, noise: 3 },
  fds: { what: 'open files of a worker', unit: '', per: 1, limit: 1, noise: 3 },
  redisMemory: { what: 'memory of Redis', unit: 'MiB', per: MIB, limit: 1.25, noise: 6 },
  redisKeys: { what: 'keys in Redis', unit: '', per: 1, limit: 1, noise: 30 },
  redisClients: { what: 'connections to Redis', unit: '', per: 1, limit: 1, noise: 4 },
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

/** `samples`: one object each, with a number for each of `SIZES`. */
export function judgeGrowth(samples) {
  const third = Math.ceil(samples.length / 3)
  return Object.entries(SIZES).map(([key, { per, limit, noise, ...size }]) => {
    const values = samples.map((sample) => sample[key] / per)
    const first = median(values.slice(0, third))
    const last = median(values.slice(-third))
    const ratio = first === 0 ? 1 : last / first
    return { ...size, first, last, ratio, limit, noise, broken: ratio > limit && last - first > noise }
  })
}

/** Sentences; none when every bound held. `limitMs`: for how long a call may wait. */
export function brokenBounds({ suffered, growth, seen, limitMs }) {
  const of = (condition, sentence) => suffered.filter(condition).map(sentence)
  return [
    ...seen.flatMap(({ strange }) => Object.keys(strange).map((what) => `a call met ${what}`)),
    ...of(
      ({ backMs }) => backMs === null,
      ({ name }) => `the workers did not come back after: ${name}`,
    ),
    ...of(
      ({ probedMs }) => probedMs === null,
      ({ name }) => `probes did not go on after: ${name}`,
    ),
    ...of(
      ({ overMs }) => overMs > limitMs,
      ({ name, longestWaitMs }) => `a call waited ${longestWaitMs} ms: ${name}`,
    ),
    ...growth.filter(({ broken }) => broken).map(({ what }) => `it grew: ${what}`),
  ]
}

const after = (ms) => (ms === null ? 'NEVER' : `after ${ms} ms`)

export const faultLine = (seconds, { name, backMs, probedMs, longestWaitMs }) =>
  `${seconds.toFixed(0).padStart(5)} s  ${name.padEnd(34)} back ${after(backMs)}, probes ${after(probedMs)}, ` +
  `longest wait ${longestWaitMs} ms`

export function growthTable(growth) {
  const figure = (value, unit) => (unit === '' ? value.toFixed(0) : `${value.toFixed(1)} ${unit}`)
  const line = (what, first, last, ratio, bound) =>
    [what.padEnd(28), first.padStart(10), last.padStart(10), ratio.padStart(7), `  ${bound}`].join('')
  const rows = growth.map(({ what, unit, first, last, ratio, limit, noise, broken }) =>
    line(
      what,
      figure(first, unit),
      figure(last, unit),
      ratio.toFixed(2),
      `${broken ? 'BROKEN: ' : ''}at most ${limit} times, or ${figure(noise, unit)} more`,
    ),
  )
  return [line('', 'first 1/3', 'last 1/3', 'ratio', 'bound'), ...rows].join('\n')
}
