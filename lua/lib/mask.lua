-- Masks the secrets of a probe's settings for an event. The twin of src/config/mask.ts: both give the same text.

local HIDDEN = { headers = true, env = true }
local SCHEMES = { ['bearer '] = true, ['basic '] = true, ['token '] = true, ['apikey '] = true, ['key '] = true }
local SECRET_NAMES = {
  'pass', 'password', 'passwd', 'passphrase', 'pwd', 'secret', 'token', 'credential', 'credentials', 'key',
  'auth', 'authorization', 'sig', 'signature', 'cookie',
}

-- The name of a scheme before a reference is no secret: `Bearer ${env:KEY}`.
local function mask_literal(text)
  if text == '' or SCHEMES[string.lower(text)] then
    return text
  end
  return '***'
end

-- References to the environment stay: they hold no secret.
local function mask_value(text)
  local shown, rest = '', 1
  for first, reference, after in string.gmatch(text, '()(%${env:[%a_][%w_]*})()') do
    shown = shown .. mask_literal(string.sub(text, rest, first - 1)) .. reference
    rest = after
  end
  return shown .. mask_literal(string.sub(text, rest))
end

local function is_secret_name(name)
  local lower = string.lower(name)
  for _, ending in ipairs(SECRET_NAMES) do
    if string.sub(lower, -#ending) == ending then
      return true
    end
  end
  return false
end

-- Masks the values of parameters whose names say that they are secrets.
local function mask_query(url)
  return (string.gsub(url, '([?&])([^=&#?]*)=([^&#]*)', function(before, name, value)
    return before .. name .. '=' .. (is_secret_name(name) and mask_value(value) or value)
  end))
end

-- Masks user and password, up to the last `@` before the path.
local function mask_userinfo(url)
  return (string.gsub(url, '^(%a[%w+.-]*://)([^/]*)@', function(scheme, userinfo)
    return scheme .. mask_value(userinfo) .. '@'
  end))
end

-- Where the text that begins at `from` ends: its closing quote, or the end of all.
local function closing_quote(json, from)
  local at = string.find(json, '["\\]', from)
  while at and string.sub(json, at, at) == '\\' do
    at = string.find(json, '["\\]', at + 2)
  end
  return at or #json + 1
end

-- O(length). It works on the JSON text, because cjson would write names in another order and numbers in another form.
local function mask_probe(json)
  local shown, at, depth, hidden, name = {}, 1, 0, nil, ''
  local mark = string.find(json, '["{}]')
  while mark do
    local kind, last = string.sub(json, mark, mark), mark
    shown[#shown + 1] = string.sub(json, at, mark)
    if kind == '{' then
      depth = depth + 1
      hidden = hidden or (HIDDEN[name] and depth or nil)
    elseif kind == '}' then
      depth = depth - 1
      hidden = hidden and depth >= hidden and hidden or nil
      name = ''
    else
      last = closing_quote(json, mark + 1)
      local text = string.sub(json, mark + 1, last - 1)
      if string.find(json, '^%s*:', last + 1) then
        name = text
      elseif hidden or name == 'body' then
        text = mask_value(text)
      elseif name == 'proxy' then
        text = mask_userinfo(text)
      elseif name == 'url' then
        text = mask_query(text)
      end
      shown[#shown + 1] = text .. string.sub(json, last, last)
    end
    at = last + 1
    mark = string.find(json, '["{}]', at)
  end
  return table.concat(shown) .. string.sub(json, at)
end
