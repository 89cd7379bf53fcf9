import { COMMON, NAMES, READ_STATE } from "./lua-parts.ts";
import { Script } from "./script.ts";

/** Removes many entries at once. */
const DROP = `
local function drop(names)
  if #names == 0 then return 0 end
  if ordered then
    local members = {}
    for i = 1, #names do members[i] = sub(names[i], from) end
    call('ZREM', INDEX, unpack(members))
    call('ZREM', DUE, unpack(members))
    call('ZREM', EVICT, unpack(members))
  end
  return call('UNLINK', unpack(names))
end
`;

/**
 * Removes entries whose deadline is over. For entries whose deadline was postponed or removed meanwhile, it updates the index
 * of deadlines. Returns how many entries were removed, and how many stay.
 */
export const COLLECT: Script = new Script(`${NAMES}${READ_STATE}${COMMON}${DROP}
local members, over, later, undated = {}, {}, {}, {}
for i = 6, #KEYS do members[i - 5] = sub(KEYS[i], from) end
local due = call('ZMSCORE', DUE, unpack(members))
for i = 1, #members do
  if due[i] and tonumber(due[i]) <= now() then
    local key = KEYS[i + 5]
    local deadline = sub(call('GETRANGE', key, 0, 60), 27, 42)
    if sub(deadline, 1, 1) == '-' then undated[#undated + 1] = members[i]
    elseif deadline ~= '' and tonumber(deadline) > now() then
      later[#later + 1], later[#later + 2] = deadline, members[i]
    else
      over[#over + 1] = key
      if watched then changed('expire', key, '') end
    end
  end
end
if #later > 0 then call('ZADD', DUE, unpack(later)) end
if #undated > 0 then call('ZREM', DUE, unpack(undated)) end
drop(over)
tell()
return {#over, #later / 2 + #undated}
`);

/** Removes entries. ARGV 6: only those of this policy; "": all. Returns how many live entries were removed. */
export const REMOVE: Script = new Script(`${NAMES}${READ_STATE}${COMMON}${DROP}
local names = {unpack(KEYS, 6)}
if not watched and ARGV[6] == '' then return drop(names) end
local gone = {}
for i = 1, #names do
  local key = names[i]
  local before = call('GETRANGE', key, 0, 60)
  if before == '' then
    -- It expired, or was evicted by the server.
    gone[#gone + 1] = key
    if watched and call('ZSCORE', DUE, sub(key, from)) then changed('expire', key, '') end
  elseif ARGV[6] == '' or ARGV[6] == sub(before, 43, 43) then
    gone[#gone + 1] = key
    if watched then changed('delete', key, '') end
  end
end
local removed = drop(gone)
tell()
return removed
`);

/**
 * Removes entries from the index that the server has evicted, and reports them to watchers as gone. Returns how many there
 * were.
 */
export const FORGET: Script = new Script(`${NAMES}${READ_STATE}${COMMON}${DROP}
local gone = {}
for i = 6, #KEYS do
  local key = KEYS[i]
  if call('EXISTS', key) == 0 then
    gone[#gone + 1] = key
    if watched then
      local due = call('ZSCORE', DUE, sub(key, from))
      changed(due and tonumber(due) <= now() and 'expire' or 'delete', key, '')
    end
  end
end
drop(gone)
tell()
return #gone
`);

/** Returns the keys whose deadline may be over. ARGV 1: how many at most; negative: all. */
export const DUE: Script = new Script(`
local t = redis.call('TIME')
local now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
`);

/** Returns how many keys lie within bounds, and how many of all keys may be past their deadline. KEYS: keys, due. ARGV: the bounds. */
export const COUNT: Script = new Script(`
local t = redis.call('TIME')
local now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
return {redis.call('ZLEXCOUNT', KEYS[1], ARGV[1], ARGV[2]), redis.call('ZCOUNT', KEYS[2], '-inf', now)}
`);

/** Returns 1 for each entry that exists, else 0. KEYS: entries. */
export const EXIST: Script = new Script(`
local found = {}
for i = 1, #KEYS do found[i] = redis.call('EXISTS', KEYS[i]) end
return found
`);
