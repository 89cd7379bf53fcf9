import { COMMON, ENTRIES, NAMES, READ_STATE } from "./lua-parts.ts";
import { Script } from "./script.ts";

/**
 * Writes numbers like JSON.stringify: the shortest digits that parse to the same number, and an exponent only if JavaScript
 * uses one.
 */
const NUMBERS = `
local function whole(x) return x == math.floor(x) end
local function json(x)
  if x == 0 then return '0' end
  if whole(x) and math.abs(x) < 1e21 then return string.format('%.0f', x) end
  local text
  for digits = 15, 17 do
    text = string.format('%.' .. digits .. 'g', x)
    if tonumber(text) == x then break end
  end
  local sign, mantissa, exponent = string.match(text, '^(-?)([%d.]+)e([+-]%d+)$')
  if not exponent then return text end
  exponent = tonumber(exponent)
  if exponent < 0 and exponent >= -6 then
    return sign .. '0.' .. string.rep('0', -exponent - 1) .. string.gsub(mantissa, '%.', '')
  end
  return sign .. mantissa .. 'e' .. (exponent < 0 and '-' or '+') .. string.format('%d', math.abs(exponent))
end
-- Like addToNumber in core: nil if the text is not a number, or a sum of integers would not be exact.
local function add(text, by)
  if #text > 40 or not string.match(text, '^-?%d') then return nil end
  local before = tonumber(text)
  if not before then return nil end
  local sum = before + by
  if sum ~= sum or sum == math.huge or sum == -math.huge then return nil end
  if whole(before) and whole(by) and math.abs(sum) > 9007199254740991 then return nil end
  return json(sum)
end
`;

/**
 * Any commits, in order, each applied entirely or not at all: first its checks, then its sums, and only then its writes.
 *
 * ARGV from 6 on, for each commit: the numbers of checks and mutations, then `key revision` for every check (`""`: absent),
 * then the mutations: `set key text` · `move key text source` (the value is staged under another name) · `past key` (a set
 * whose deadline is over) · `delete key` · `add key text by` · `touch key deadline policy` (`""`: unchanged). A key is given
 * by its place in KEYS; `k` in place of a deadline keeps the present one.
 * Returns for each commit: 1, {"c", failed checks …}, {"n", mutation} if a value is not a number, or {"o", outcome …}:
 * 0 or 1 for delete and touch, the number for add. Or it returns -1: list the namespace first; -2: a source is missing.
 */
export const COMMIT: Script = new Script(`${NAMES}${READ_STATE}${COMMON}${ENTRIES}${NUMBERS}
local arg = 5
local function take(n)
  arg = arg + n
  return ARGV[arg - n + 1], ARGV[arg - n + 2], ARGV[arg - n + 3], ARGV[arg - n + 4]
end
local WIDTH = {set = 3, move = 4, past = 2, delete = 2, add = 4, touch = 4}

local commits, sources = {}, {}
while arg < #ARGV do
  local checks, mutations = take(2)
  local checked = {}
  for i = 1, tonumber(checks) do
    local key, revision = take(2)
    checked[i] = {key = KEYS[tonumber(key)], revision = revision}
  end
  local writes = {}
  for i = 1, tonumber(mutations) do
    local kind = ARGV[arg + 1]
    local _, key, a, b = take(WIDTH[kind])
    writes[i] = {kind = kind, key = KEYS[tonumber(key)], a = a, b = b}
    if kind == 'move' then
      writes[i].b = KEYS[tonumber(b)]
      sources[#sources + 1] = writes[i].b
    end
  end
  commits[#commits + 1] = {checks = checked, writes = writes}
end
if #sources > 0 and call('EXISTS', unpack(sources)) ~= #sources then return -2 end

local function put(write)
  local key, text = write.key, write.a
  local before = head(key)
  local created = before and sub(before, 1, 13) or time
  local deadline, keeps = sub(text, 14, 29), sub(text, 14, 14) == 'k'
  if keeps then deadline = before and sub(before, 27, 42) or NEVER end
  index(key, before, deadline, sub(text, 30, 30))
  if write.kind == 'move' then
    call('SETRANGE', write.b, 0, created)
    if keeps then call('SETRANGE', write.b, 26, deadline) end
    call('RENAME', write.b, key)
    if number(deadline) then call('PEXPIREAT', key, last(deadline)) else call('PERSIST', key) end
    call('SETRANGE', STATE, 0, '1')
  else
    if keeps then text = sub(text, 1, 13) .. deadline .. sub(text, 30) end
    if number(deadline) then call('SET', key, created .. text, 'PXAT', last(deadline))
    else call('SET', key, created .. text) end
  end
  if watched then changed('set', key, sub(text, 33, 48)) end
end

-- Where the payload of an entry begins, counted from zero.
local function begin(key, before)
  if sub(before, 45, 45) ~= '+' then return 61 end
  local sizes = call('GETRANGE', key, 61, 71)
  return 72 + tonumber(sub(sizes, 1, 4)) + tonumber(sub(sizes, 5, 11))
end
-- The number of an entry as text; "x" if it is not a number.
local function numeral(key)
  local before = head(key)
  if not before then return '0' end
  if sub(before, 44, 44) ~= 'j' then return 'x' end
  local at = begin(key, before)
  if call('STRLEN', key) - at > 40 then return 'x' end
  return call('GETRANGE', key, at, -1)
end
-- The payload within a set's text.
local function payload(text)
  if sub(text, 31, 31) ~= 'j' then return 'x' end
  if sub(text, 32, 32) ~= '+' then return sub(text, 49) end
  return sub(text, 60 + tonumber(sub(text, 49, 52)) + tonumber(sub(text, 53, 59)))
end

local function store_sum(write)
  local key, text = write.key, write.a
  local before = head(key)
  if not before then
    write.a = text .. write.sum
    return put(write)
  end
  local extra = sub(before, 45, 45) == '+' and call('GETRANGE', key, 61, begin(key, before) - 1) or ''
  call('SET', key, sub(before, 1, 13) .. sub(text, 1, 13) .. sub(before, 27, 45) .. sub(text, 33, 48)
    .. extra .. write.sum, 'KEEPTTL')
  if watched then changed('set', key, sub(text, 33, 48)) end
end

local function touch(write)
  local key, deadline, policy = write.key, write.a, write.b
  local before = head(key)
  if not before then return 0 end
  local old = sub(before, 27, 42)
  if deadline == '' then deadline = old end
  if policy == '' then policy = sub(before, 43, 43) end
  index(key, before, deadline, policy)
  call('SETRANGE', key, 42, policy)
  if deadline ~= old then
    call('SETRANGE', key, 26, deadline)
    if number(deadline) then call('PEXPIREAT', key, last(deadline)) else call('PERSIST', key) end
  end
  if watched then changed('touch', key, sub(before, 46, 61)) end
  return 1
end

-- Computes a commit's sums before anything is written. Returns the place of the first that is not a number.
local function sums(writes)
  local texts = {}
  for i, write in ipairs(writes) do
    local key = write.key
    if write.kind == 'add' then
      local sum = add(texts[key] or numeral(key), tonumber(write.b))
      if not sum then return i end
      write.sum = sum
      texts[key] = sum
    elseif write.kind == 'set' then texts[key] = payload(write.a)
    elseif write.kind == 'move' then texts[key] = 'x'
    elseif write.kind ~= 'touch' then texts[key] = '0' end
  end
end

local function apply(commit)
  local failed = {'c'}
  for i, check in ipairs(commit.checks) do
    local text = head(check.key)
    if (text and sub(text, 46, 61) or '') ~= check.revision then failed[#failed + 1] = i - 1 end
  end
  if #failed > 1 then return failed end
  local no_number = sums(commit.writes)
  if no_number then return {'n', no_number - 1} end
  local outcomes = {'o'}
  for _, write in ipairs(commit.writes) do
    local kind, key = write.kind, write.key
    if kind == 'set' or kind == 'move' then put(write)
    elseif kind == 'add' then
      store_sum(write)
      outcomes[#outcomes + 1] = write.sum
    elseif kind == 'touch' then outcomes[#outcomes + 1] = touch(write)
    else
      local existed = call('EXISTS', key)
      if existed == 1 then remove(key) end
      if kind == 'delete' then outcomes[#outcomes + 1] = existed end
    end
  end
  return #outcomes > 1 and outcomes or 1
end

local results = {}
for i, commit in ipairs(commits) do results[i] = apply(commit) end
-- Remove staged values of commits that were not applied.
if #sources > 0 then call('UNLINK', unpack(sources)) end
tell()
return results
`);
