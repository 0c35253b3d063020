-- How a value is written as text.

-- All numbers are whole. %.0f, because Lua writes 1e+15 where Redis wants digits. Redis would write a number that it is
-- given as an argument in full too, but for times it takes twice as long.
local function as_text(value)
  if type(value) == 'number' then
    return string.format('%.0f', value)
  end
  return value or ''
end
