import { Script } from "./script.ts";

/**
 * Puts a namespace on the list, and the descriptor where there is none. KEYS: the descriptor, the list. ARGV: what the
 * descriptor should say, a tag, its token. → what it says: if that is something else, nothing was listed
 */
export const LIST: Script = new Script(`
local found = redis.call('GET', KEYS[1])
if not found then redis.call('SET', KEYS[1], ARGV[1])
elseif found ~= ARGV[1] then return found end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
return ARGV[1]
`);

/** KEYS: state, keys, seq. Forgets that the namespace is listed, if it is empty and nobody watches it. → whether it did */
export const UNLIST: Script = new Script(`
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local t = redis.call('TIME')
local state = redis.call('GET', KEYS[1])
if state and #state > 1 and tonumber(string.sub(state, 2, 17)) > t[1] * 1000 then return 0 end
redis.call('DEL', KEYS[1], KEYS[3])
return 1
`);

/** KEYS: the list. ARGV: a tag, its token. Takes the tag off the list unless it was listed anew. */
export const STRIKE: Script = new Script(`
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then return redis.call('HDEL', KEYS[1], ARGV[1]) end
return 0
`);
