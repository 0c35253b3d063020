-- The beginning of a script that its caller may have given up: as lib/open, and run after not_after_ms it does nothing.
-- Spliced into the script, it reads `not_after_ms` there too.

-- @include lib/open

if now > not_after_ms then
  return { 'late', now }
end
