-- How a value is written as text.

-- All numbers are whole, and Redis is a 64-bit build (src/redis/server-version.ts refuses others), so that %d is exact. It
-- costs half of %.0f; Redis's own conversion of an argument costs more than either.
local function as_text(value)
  if type(value) == 'number' then
    return string.format('%d', value)
  end
  return value or ''
end
