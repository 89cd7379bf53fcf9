/*
 * Every write is one script, so that it is applied entirely or not at all: refusals (a missing script, a full memory, a
 * read-only replica, a slot that is being moved) come before the script's first write. Only another program's value under
 * one of the store's names can fail later; the index is written before the value, so that even then every value appears in
 * ranges.
 *
 * A script declares every key that it touches, which Cluster needs: while a slot is being moved, the server compares them with
 * the keys still present and refuses (TRYAGAIN, ASK), instead of treating a key that has moved as absent.
 *
 * KEYS of scripts that write: 1 keys · 2 due · 3 evict · 4 seq · 5 state, then the entries. ARGV: 1 "1" once the namespace
 * has been listed, else "" · 2 the channel · 3 "1" for an ordered store · 4 where the key begins in the name of an entry ·
 * 5 the time of writing. Offsets within entries are those of `entry.ts` plus one, since Lua counts from one.
 *
 * The state is a string. First character: "u" not listed yet, "1" has large entries (read their heads with GETRANGE), "0"
 * otherwise. If the namespace was ever watched, then: 16 digits, the time until which watchers are present; then the epoch.
 */

/** The part that scripts share once `state` is known. `changes` become one message, if there are watchers. */
export const COMMON: string = `
local ordered, from, time = ARGV[3] == '1', tonumber(ARGV[4]), ARGV[5]

-- A namespace is listed before it gets its first entry; -1 asks for that, with nothing done.
if not state or sub(state, 1, 1) == 'u' then
  if ARGV[1] ~= '1' then return -1 end
  call('SETRANGE', STATE, 0, '0')
end

-- The time to the millisecond, asked for only if needed.
local clock
local function now()
  if not clock then
    local t = call('TIME')
    clock = t[1] * 1000 + math.floor(t[2] / 1000)
  end
  return clock
end

-- Its number, the epoch, then what happened, the key and the revision for each change.
local watched = state and #state > 1 and tonumber(sub(state, 2, 17)) > now()
local changes = watched and {0, sub(state, 18)}
local function changed(kind, key, revision)
  local n = #changes
  changes[n + 1], changes[n + 2], changes[n + 3] = kind, sub(key, from), revision
end
local function tell()
  if not watched or #changes == 2 then return end
  changes[1] = call('INCR', SEQ)
  -- A user may have the right to write but not to publish. Watchers then notice the missing number.
  redis.pcall('PUBLISH', ARGV[2], cjson.encode(changes))
end
`;

export const NAMES: string = `
local call, sub = redis.call, string.sub
local INDEX, DUE, EVICT, SEQ, STATE = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
`;

/** For scripts that examine one entry after the other. */
export const READ_STATE: string = `
local state = call('GET', STATE)
`;

/** Functions for one entry. `head` returns its fixed part, or nil if it is absent. */
export const ENTRIES: string = `
local NEVER = string.rep('-', 16)
local function head(key)
  local text = call('GETRANGE', key, 0, 60)
  if text ~= '' then return text end
end
local function number(deadline)
  if sub(deadline, 1, 1) ~= '-' then return tonumber(deadline) end
end
-- To the server a key is expired after this millisecond, to the store from the deadline on.
local function last(deadline)
  return deadline - 1
end

-- Updates the index for an entry that is about to be written; before is its present head.
local function index(key, before, deadline, policy)
  if not ordered then return end
  local member = sub(key, from)
  -- An expired entry may still be listed, with its old deadline.
  local stale = not before and call('ZADD', INDEX, 0, member) == 0
  if number(deadline) then call('ZADD', DUE, 'LT', deadline, member)
  elseif stale or before and number(sub(before, 27, 42)) then call('ZREM', DUE, member) end
  if policy == 'e' then call('ZADD', EVICT, 0, member)
  elseif stale or before and sub(before, 43, 43) == 'e' then call('ZREM', EVICT, member) end
end

local function remove(key)
  if ordered then
    local member = sub(key, from)
    call('ZREM', INDEX, member)
    call('ZREM', EVICT, member)
    call('ZREM', DUE, member)
  end
  call('UNLINK', key)
  if watched then changed('delete', key, '') end
end
`;
