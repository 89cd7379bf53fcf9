import { Script } from "./script.ts";

/**
 * A watcher's sign of life. KEYS: state, seq, due. ARGV: how many milliseconds it lasts, the epoch to use for a new beginning,
 * how many milliseconds to look ahead for deadlines. Returns the epoch, which changes if the namespace had no watchers for a
 * while; the number of the last message; and the milliseconds until the next deadline, "" for none that soon.
 */
export const ATTEND: Script = new Script(`
local sub = string.sub
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local state = redis.call('GET', KEYS[1]) or 'u'
local epoch = #state > 1 and tonumber(sub(state, 2, 17)) > now and sub(state, 18) or ARGV[2]
redis.call('SET', KEYS[1], sub(state, 1, 1) .. string.format('%016.0f', now + ARGV[1]) .. epoch)
local next = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', now + ARGV[3]), 'WITHSCORES', 'LIMIT', 0, 1)
return {epoch, redis.call('GET', KEYS[2]) or '0', next[2] and string.format('%.0f', next[2] - now) or ''}
`);
