// Faults in the rate rules and the quorum.

const one = (why, file, find, replace) => ({ why, short: false, edits: [{ file, find, replace }] })

/** Not for random sequences: they do not go to that border. */
const byContract = (...fault) => ({ ...one(...fault), by: 'contract' })

const WINDOW = 'lib/rate_window.lua'
const GOOD_CALLS = 'lib/good_calls.lua'
const RATE = 'lib/trip_rate.lua'
const DOMAINS = 'lib/domains.lua'
const DOUBT = 'lib/doubt.lua'
const QUORUM = 'lib/quorum.lua'

export const rates = [
  one(
    'an expired bucket is not subtracted',
    'lib/rate_bucket.lua',
    'window.calls = window.calls - calls',
    'window.calls = window.calls',
  ),
  one('a window of another generation counts', WINDOW, 'if of ~= generation or', 'if not of or'),
  one('a window that is over counts', WINDOW, 'newest - last >= BUCKETS', 'newest - last > BUCKETS'),
  one('an expired bucket is left', WINDOW, 'elseif window.expired then', 'elseif false then'),
  byContract('a window of another width counts', WINDOW, 'width + 0 ~= bucket_ms or', ''),
  one('a window is young for ever', WINDOW, 'if window.calls == 0 then', 'if true then'),
  one(
    'a rate is judged 1 ms late',
    WINDOW,
    'provider.now - window.since_ms >=',
    'provider.now - window.since_ms >',
  ),
  one(
    'a rate is judged at once',
    WINDOW,
    'provider.now - window.since_ms >= math.max(bucket_ms, LEAST_AGE_MS)',
    'true',
  ),
  one('the width does not hold back', WINDOW, 'math.max(bucket_ms, LEAST_AGE_MS)', 'LEAST_AGE_MS'),
  one('a degraded call is none', WINDOW, "if outcome == 'degraded' then", 'if false then'),
  one('a bucket that ended is not written', WINDOW, 'if window.ended then', 'if false then'),
  one('a good call counts in an older bucket', GOOD_CALLS, 'number ~= newest or', ''),
  one(
    'a good call counts in a window of another generation',
    GOOD_CALLS,
    'generation ~= provider.circuit.generation or',
    '',
  ),
  byContract(
    'good calls before a bad one are not counted',
    'lib/closed.lua',
    'if good > 0 then',
    'if false then',
  ),
  one(
    'too few calls are judged',
    RATE,
    'math.max(1, minimum_calls - calls, missing)',
    'math.max(1, missing)',
  ),
  one('a rate opens one call late', RATE, 'if at > run then', 'if at >= run then'),
  one('a rate of 1 bears a good call', RATE, 'limit == PARTS and before ~= calls', 'false'),
  one(
    'a failure is no degraded call',
    RATE,
    'local before = window.failures + window.degraded',
    'local before = window.degraded',
  ),
  one('a degraded call counts for the failure rate', RATE, "counts.bad ~= 'failed' or", ''),
  one(
    'a rate is told to too few readers',
    'lib/window_view.lua',
    'calls < judgement(provider)',
    'calls <= judgement(provider)',
  ),
  one('a degraded trial closes', 'lib/breaker.lua', 'judgement(provider).degraded_rate > 0', 'false'),
]

export const quorum = [
  one('a doubt begins one failure late', DOUBT, 'own.failures >= AT or', 'own.failures > AT or'),
  one('a doubt begins 1 ms late', DOUBT, 'own.since_ms >= AFTER_MS', 'own.since_ms > AFTER_MS'),
  one('a doubt begins at one failure more', DOUBT, 'own.failures >= least and', 'own.failures > least and'),
  one(
    'a low threshold does not matter to a doubt',
    DOUBT,
    'math.min(failure_threshold(provider) or AT_LEAST, AT_LEAST)',
    'AT_LEAST',
  ),
  one(
    'one is named 1 ms early',
    DOUBT,
    'other.at_ms > doubt.since_ms + settles',
    'other.at_ms >= doubt.since_ms + settles',
  ),
  one('the pause that is asked for does not matter', DOUBT, 'return 1000 + pause_ms', 'return 1000'),
  one('one is announced again within the minute', DOUBT, 'now - stamp.at_ms < ANNOUNCED_MS', 'false'),
  byContract('one is announced a ms late', DOUBT, 'at_ms < ANNOUNCED_MS', 'at_ms <= ANNOUNCED_MS'),
  one(
    'a domain with another suspect is cleared',
    DOUBT,
    'if doubt.domain == domain and not',
    'if false and not',
  ),
  one('a domain is cleared twice', DOUBT, 'if named[i].domain == domain then', 'if false then'),
  one('a suspicion leaves the rate window', DOUBT, '  provider.quorum.clear_window(provider)\n', ''),
  one('a suspicion leaves the domain alive', DOUBT, 'return stamp.domain == domain', 'return false'),
  one('an opening withdraws no suspicion', DOUBT, 'now - doubt.named_ms < quorum.rules.grace_ms', 'false'),
  one('an opening withdraws an old suspicion', DOUBT, 'now - doubt.named_ms < quorum.rules.grace_ms', 'true'),
  byContract(
    'the silent are forgotten too soon',
    DOUBT,
    'provider.now - doubt.seen_ms > most_ms',
    'provider.now - doubt.seen_ms >= most_ms',
  ),
  one('one alive is many', DOUBT, 'domains.wide = alive > 1', 'domains.wide = alive > 0'),
  one(
    'an opening from closed names a trial',
    DOUBT,
    "circuit.state == 'closed' and {} or after_trial",
    'after_trial',
  ),
  byContract('every domain may be kept from trials', DOUBT, '#list < alive - 1', '#list < alive'),
  byContract('only the last failed trial is remembered', DOUBT, '#list < alive - 1', 'false'),
  one(
    'a domain is gone 1 ms early',
    DOMAINS,
    'at_ms - stamp.at_ms <= most_ms',
    'at_ms - stamp.at_ms < most_ms',
  ),
  one('the older success of another speaks', DOMAINS, 'stamp.at_ms > last.at_ms', 'stamp.at_ms < last.at_ms'),
  one('a domain disagrees with itself', DOMAINS, 'if stamp.domain ~= domain and (not last', 'if (not last'),
  one(
    'time while open counts as silence',
    DOMAINS,
    'stamp.at_ms = math.min(now, stamp.at_ms + now - since_ms)',
    'stamp.at_ms = stamp.at_ms',
  ),
  one(
    'witnesses outlive a transition',
    DOMAINS,
    'domains.witnesses, domains.probe_witnesses, domains.failing, domains.poor = {}, {}, {}, {}',
    'domains.failing = {}',
  ),
  byContract(
    'a suspect is cleared by a success of an older generation',
    QUORUM,
    "origin == 'call' and generation + 0 == provider.circuit.generation",
    "origin == 'call'",
  ),
  byContract(
    'a full table takes one more',
    QUORUM,
    '#domains.doubts < MAX_DOUBTS',
    '#domains.doubts <= MAX_DOUBTS',
  ),
  byContract(
    'the last heard makes room',
    QUORUM,
    'doubt.seen_ms < silent.seen_ms',
    'doubt.seen_ms > silent.seen_ms',
  ),
  one('a sibling clears a suspect', QUORUM, 'return doubt.process == reporter.process', 'return true'),
  one('a suspect that still fails is cleared', QUORUM, 'reporter.own.failures > 0 or', ''),
  one('a suspect is believed', QUORUM, 'return not trial', 'return false'),
  byContract("a suspect's trial is not believed", QUORUM, 'return not trial', 'return true'),
  one(
    'a success leaves the witnesses',
    QUORUM,
    'bad and witnessed(domains[field], domain) or {}',
    'bad and witnessed(domains[field], domain) or domains[field]',
  ),
  one('one witness is enough', QUORUM, 'run = #witnesses >= needed', 'run = true'),
  one(
    'a lone domain needs others',
    QUORUM,
    'math.min(provider.quorum.rules.quorum, count_alive(provider, now))',
    'provider.quorum.rules.quorum',
  ),
  one(
    'one failing domain is enough for a rate',
    QUORUM,
    'failures = window and count_in_window(domains.failing, now, window.bucket_ms) >= needed',
    'failures = true',
  ),
  one(
    'one poor domain is enough for a rate',
    QUORUM,
    'poor = window and count_in_window(domains.poor, now, window.bucket_ms) >= needed',
    'poor = true',
  ),
  byContract(
    'a domain fails for longer than the window',
    QUORUM,
    'math.floor(stamp.at_ms / bucket_ms) < BUCKETS',
    'math.floor(stamp.at_ms / bucket_ms) <= BUCKETS',
  ),
  one(
    'a doubt counts 1 ms late',
    QUORUM,
    'now - doubt.since_ms >= settles_after_ms(reporter.pause_ms)',
    'now - doubt.since_ms > settles_after_ms(reporter.pause_ms)',
  ),
  one(
    'doubtful domains need one more',
    QUORUM,
    'if count >= quorum.rules.quorum then',
    'if count > quorum.rules.quorum then',
  ),
  one('a young doubt counts', QUORUM, 'now - doubt.since_ms >= settles_after_ms(reporter.pause_ms)', 'true'),
  one('two processes of a domain are two', QUORUM, 'if aged and not seen[doubt.domain] then', 'if aged then'),
  one(
    'the grace ends 1 ms late',
    QUORUM,
    'silent_ms >= quorum.rules.grace_ms',
    'silent_ms > quorum.rules.grace_ms',
  ),
  one('a success of another ends no grace', QUORUM, 'not (other and other.at_ms > own.since_ms)', 'true'),
  one(
    'a success as old as the doubt ends a grace',
    QUORUM,
    'other.at_ms > own.since_ms',
    'other.at_ms >= own.since_ms',
  ),
  byContract(
    'a suspect takes the next trial',
    QUORUM,
    'elseif not is_suspect(domains, process) and not',
    'elseif not',
  ),
  one('one alone is kept from trials', QUORUM, 'if not domains.wide or', 'if'),
  one(
    'the domain that failed last takes the next trial',
    QUORUM,
    'not includes(domains.failed_trials, domain) then',
    'true then',
  ),
  one(
    'others are given a whole cooldown',
    QUORUM,
    'math.floor(circuit.cooldown_ms / 10)',
    'circuit.cooldown_ms',
  ),
]
