import { COMMON, NAMES } from "./lua-parts.ts";
import { Script } from "./script.ts";

/**
 * Unconditional sets of different keys, small enough to pass through Lua, as most writes are. It uses commands that take many
 * keys wherever possible, since a call from Lua costs more than most commands do; and it allocates nothing that the most
 * common case, one entry overwritten, does not need.
 * ARGV 6: "1" if some entry is known to be large. From 7 on: the entries without their first field, `createdAt`, which an
 * existing entry keeps.
 * Returns 0; 1: some entry is large; -1: list the namespace first.
 */
export const SET: Script = new Script(`${NAMES}
local old
if ARGV[6] == '1' then
  old = {call('GET', STATE)}
  for i = 6, #KEYS do
    local text = call('GETRANGE', KEYS[i], 0, 60)
    old[i - 4] = text ~= '' and text
  end
else old = call('MGET', unpack(KEYS, 5)) end
local state = old[1]

local byte = string.byte
local DASH, E = 45, 101
if #KEYS == 6 and old[2] and (state == '0' or state == '1') then
  local key, before, text = KEYS[6], old[2], ARGV[7]
  if byte(before, 43) ~= E and byte(text, 30) ~= E then
    local value = sub(before, 1, 13) .. text
    if byte(text, 14) == DASH then
      if byte(before, 27) ~= DASH and ARGV[3] == '1' then call('ZREM', DUE, sub(key, ARGV[4])) end
      call('SET', key, value)
    else
      local deadline = sub(text, 14, 29)
      if ARGV[3] == '1' then call('ZADD', DUE, 'LT', deadline, sub(key, ARGV[4])) end
      call('SET', key, value, 'PXAT', deadline - 1)
    end
    return tonumber(state)
  end
end
${COMMON}
local fresh, dated, evictable, plain, expiring = {}, {}, {}, {}, {}
-- Members to remove from the index of deadlines or of evictable keys: certainly, or if left over from an expired entry.
local dateless, kept, freshly_dateless, freshly_kept = {}, {}, {}, {}
for i = 1, #KEYS - 5 do
  local key, text, before = KEYS[i + 5], ARGV[i + 6], old[i + 1]
  local dateless_now, evictable_now = byte(text, 14) == DASH, byte(text, 30) == E
  local value = (before and sub(before, 1, 13) or time) .. text
  if dateless_now then
    local at = #plain
    plain[at + 1], plain[at + 2] = key, value
  else
    local at = #expiring
    expiring[at + 1], expiring[at + 2] = i, value
  end
  if ordered then
    if not before then
      local at, member = #fresh, sub(key, from)
      fresh[at + 1], fresh[at + 2] = 0, member
      if dateless_now then freshly_dateless[#freshly_dateless + 1] = member end
      if not evictable_now then freshly_kept[#freshly_kept + 1] = member end
    else
      if dateless_now and byte(before, 27) ~= DASH then dateless[#dateless + 1] = sub(key, from) end
      if not evictable_now and byte(before, 43) == E then kept[#kept + 1] = sub(key, from) end
    end
    if not dateless_now then
      local at = #dated
      dated[at + 1], dated[at + 2] = sub(text, 14, 29), sub(key, from)
    end
    if evictable_now then
      local at = #evictable
      evictable[at + 1], evictable[at + 2] = 0, sub(key, from)
    end
  end
  if watched then changed('set', key, sub(text, 33, 48)) end
end

local function leave(set, members)
  if #members > 0 then call('ZREM', set, unpack(members)) end
end
if #fresh > 0 and call('ZADD', INDEX, unpack(fresh)) < #fresh / 2 then
  leave(DUE, freshly_dateless)
  leave(EVICT, freshly_kept)
end
leave(DUE, dateless)
leave(EVICT, kept)
if #dated > 0 then call('ZADD', DUE, 'LT', unpack(dated)) end
if #evictable > 0 then call('ZADD', EVICT, unpack(evictable)) end
if #plain > 0 then call('MSET', unpack(plain)) end
for i = 1, #expiring, 2 do
  local at = expiring[i]
  call('SET', KEYS[at + 5], expiring[i + 1], 'PXAT', sub(ARGV[at + 6], 14, 29) - 1)
end
tell()
return state and sub(state, 1, 1) == '1' and 1 or 0
`);
