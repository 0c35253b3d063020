-- What an outcome says of the provider. The same words as src/model/words.ts.

-- true: it failed; false: it answered; nil: it says nothing, and the history does not take it.
local FAILED = { healthy = false, degraded = false, unhealthy = true, timeout = true, terminated = true }
