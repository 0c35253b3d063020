/**
 * A clock double that puts all runs of all scripts of a namespace into one order. It is Redis's own clock, in whole ms, but
 * never gives the same number twice: so the time in a reply is the place of its operation. And it keeps a journal, with
 * the name of the caller under each number: so an operation whose reply was lost, or whose process was killed, has its
 * place too, or is known never to have run.
 *
 * One number a run of a script, however often the script asks. The caller is the third argument of every script that writes.
 */
export const orderedClock = (namespace: string): Record<string, string> => ({
  'lib/now': `local reading
local function clock_reading_ms()
  if not reading then
    local time = redis.call('TIME')
    local last = redis.call('GET', '${namespace}:test-clock') or 0
    reading = math.max(time[1] * 1000 + math.floor(time[2] / 1000), last + 1)
    local text = string.format('%.0f', reading)
    redis.call('SET', '${namespace}:test-clock', text)
    redis.call('RPUSH', '${journalKey(namespace)}', text .. ' ' .. (ARGV[3] or ''))
  end
  return reading
end`,
})

export const journalKey = (namespace: string): string => `${namespace}:test-journal`

export interface JournalEntry {
  readonly atMs: number
  /** Empty for a script that only reads. */
  readonly caller: string
}

export const parseJournal = (lines: readonly string[]): JournalEntry[] =>
  lines.map((line) => {
    const [at = '', caller = ''] = line.split(' ')
    return { atMs: Number(at), caller }
  })
