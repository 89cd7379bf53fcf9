import { Script } from "./script.ts";

/**
 * Lists a namespace, and writes the descriptor if it is missing. KEYS: the descriptor, the list. ARGV: the descriptor's
 * expected text, a tag, its token. Returns the descriptor's text; if it differs from the expected one, nothing was listed.
 */
export const LIST: Script = new Script(`
local found = redis.call('GET', KEYS[1])
if not found then redis.call('SET', KEYS[1], ARGV[1])
elseif found ~= ARGV[1] then return found end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
return ARGV[1]
`);

/** Marks an empty namespace without watchers as unlisted. KEYS: state, keys, seq. Returns 1 if it did, else 0. */
export const UNLIST: Script = new Script(`
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local t = redis.call('TIME')
local state = redis.call('GET', KEYS[1])
if state and #state > 1 and tonumber(string.sub(state, 2, 17)) > t[1] * 1000 then return 0 end
redis.call('DEL', KEYS[1], KEYS[3])
return 1
`);

/** Removes a tag from the list, unless it was listed anew. KEYS: the list. ARGV: a tag, its token. */
export const STRIKE: Script = new Script(`
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then return redis.call('HDEL', KEYS[1], ARGV[1]) end
return 0
`);
