import { COMMON, NAMES } from "./lua-parts.ts";
import { Script } from "./script.ts";

/**
 * Unconditional sets of different keys, whose values were sent ahead under temporary names, because Lua would copy them
 * several times. KEYS: the entries, then as many sources. ARGV from 6 on: the beginning of each value, without its first
 * field, `createdAt`. Kept lean: it does only those parts of `COMMIT` that most sets need.
 * Returns 0; -1: list the namespace first; -2: a source is missing.
 */
export const MOVE: Script = new Script(`${NAMES}
local byte = string.byte
local DASH, E = 45, 101
local count = (#KEYS - 5) / 2
if call('EXISTS', unpack(KEYS, 6 + count)) ~= count then return -2 end
local state = call('GET', STATE)
${COMMON}
if not state or sub(state, 1, 1) ~= '1' then call('SETRANGE', STATE, 0, '1') end
for i = 1, count do
  local key, source, text = KEYS[i + 5], KEYS[i + 5 + count], ARGV[i + 5]
  local before = call('GETRANGE', key, 0, 60)
  local fresh, dateless, evictable = before == '', byte(text, 14) == DASH, byte(text, 30) == E
  if ordered then
    local member = sub(key, from)
    -- An entry that expired may still be listed, with its old deadline.
    local stale = fresh and call('ZADD', INDEX, 0, member) == 0
    if not dateless then call('ZADD', DUE, 'LT', sub(text, 14, 29), member)
    elseif stale or not fresh and byte(before, 27) ~= DASH then call('ZREM', DUE, member) end
    if evictable then call('ZADD', EVICT, 0, member)
    elseif stale or not fresh and byte(before, 43) == E then call('ZREM', EVICT, member) end
  end
  if not fresh then call('SETRANGE', source, 0, sub(before, 1, 13)) end
  call('RENAME', source, key)
  if dateless then call('PERSIST', key)
  else call('PEXPIREAT', key, sub(text, 14, 29) - 1) end
  if watched then changed('set', key, sub(text, 33, 48)) end
end
tell()
return 0
`);
