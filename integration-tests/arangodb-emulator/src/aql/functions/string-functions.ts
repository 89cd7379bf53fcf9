import { createHash, randomBytes, randomUUID } from "node:crypto";
import { isArray, isObject, type Json } from "../../json.ts";
import { toNumber, toText } from "../expressions/cast.ts";
import type { Run } from "../run.ts";
import { type Family, fn, many, mismatch, volatile } from "./definition.ts";

/** Characters that a repeated text may have. */
const maxText = 16 * 1024 * 1024;
const maxToken = 65_536;
const whitespace = " \t\r\n\v\f";

/** A function of one text. */
function text(apply: (value: string) => Json): Family[string] {
  return fn(1, 1, ([value = null]) => apply(toText(value)));
}

function hash(algorithm: string): Family[string] {
  return text((value) => createHash(algorithm).update(value).digest("hex"));
}

const count = fn(1, 1, ([value = null]) => {
  if (isArray(value)) return value.length;
  if (isObject(value)) return Object.keys(value).length;
  if (typeof value === "boolean") return value ? 1 : 0;
  return [...toText(value)].length;
});

function trimmer(atStart: boolean, atEnd: boolean): Family[string] {
  return fn(1, 2, ([value = null, what = null]) => {
    // TRIM alone takes a number that says at which end.
    const [start, end] = typeof what === "number" ? [what !== 2, what !== 1] : [atStart, atEnd];
    const characters = typeof what === "string" ? what : whitespace;
    let from = 0;
    let to = toText(value).length;
    const trimmed = toText(value);
    while (start && from < to && characters.includes(trimmed.charAt(from))) from++;
    while (end && to > from && characters.includes(trimmed.charAt(to - 1))) to--;
    return trimmed.slice(from, to);
  });
}

/** `LIKE`: `_` is one character, `%` any number of them, a backslash takes away their meaning. */
function likePattern(pattern: string): string {
  return pattern.replace(/\\[_%\\]|[_%]|[\\^$.*+?()[\]{}|/]/g, (found) => {
    if (found === "_") return ".";
    if (found === "%") return ".*";
    return found.length === 2 && found !== "\\\\" ? found.slice(1) : `\\${found.slice(-1)}`;
  });
}

function matches(value: Json, pattern: string, ignoresCase: Json, run: Run): Json {
  try {
    return new RegExp(pattern, ignoresCase === true ? "isu" : "su").test(toText(value));
  } catch {
    run.warn("invalidRegex", "invalid regex value");
    return null;
  }
}

function position(find: (text: string, search: string, from: number, to: number) => number): Family[string] {
  return fn(2, 4, ([value = null, search = null, from = null, to = null]) => {
    const searched = toText(value);
    return find(
      searched,
      toText(search),
      from === null ? 0 : toNumber(from),
      to === null ? searched.length : toNumber(to),
    );
  });
}

export const stringFunctions: Family = {
  LENGTH: count,
  COUNT: count,
  CHAR_LENGTH: text((value) => [...value].length),
  CONCAT: fn(1, many, (values) => {
    const [only = null] = values;
    return (values.length === 1 && isArray(only) ? only : values).map(toText).join("");
  }),
  CONCAT_SEPARATOR: fn(2, many, ([separator = null, ...values]) => {
    const [only = null] = values;
    const parts = values.length === 1 && isArray(only) ? only : values;
    return parts
      .filter((part) => part !== null)
      .map(toText)
      .join(toText(separator));
  }),
  SUBSTRING: fn(2, 3, ([value = null, offset = null, length = null]) => {
    const characters = [...toText(value)];
    const start = Math.trunc(toNumber(offset));
    const from = start < 0 ? Math.max(0, characters.length + start) : start;
    return characters
      .slice(from, length === null ? undefined : from + Math.max(0, toNumber(length)))
      .join("");
  }),
  LEFT: fn(2, 2, ([value = null, length = null]) =>
    [...toText(value)].slice(0, Math.max(0, toNumber(length))).join(""),
  ),
  RIGHT: fn(2, 2, ([value = null, length = null]) => {
    const characters = [...toText(value)];
    return characters.slice(Math.max(0, characters.length - Math.max(0, toNumber(length)))).join("");
  }),
  LOWER: text((value) => value.toLowerCase()),
  UPPER: text((value) => value.toUpperCase()),
  TRIM: trimmer(true, true),
  LTRIM: trimmer(true, false),
  RTRIM: trimmer(false, true),
  CONTAINS: fn(2, 3, ([value = null, search = null, wantsIndex = null]) => {
    const index = toText(value).indexOf(toText(search));
    return wantsIndex === true ? index : index >= 0;
  }),
  STARTS_WITH: fn(2, 2, ([value = null, prefix = null]) => {
    const prefixes = isArray(prefix) ? prefix : [prefix];
    return prefixes.some((each) => toText(value).startsWith(toText(each)));
  }),
  LIKE: fn(2, 3, ([value = null, pattern = null, ignoresCase = null], run) =>
    matches(value, `^${likePattern(toText(pattern))}$`, ignoresCase, run),
  ),
  REGEX_TEST: fn(2, 3, ([value = null, pattern = null, ignoresCase = null], run) =>
    matches(value, toText(pattern), ignoresCase, run),
  ),
  FIND_FIRST: position((value, search, from, to) => value.slice(0, to + 1).indexOf(search, from)),
  FIND_LAST: position((value, search, from, to) => {
    const index = value.slice(0, to + 1).lastIndexOf(search);
    return index >= from ? index : -1;
  }),
  SPLIT: fn(1, 3, ([value = null, separator = null, limit = null]) => {
    if (separator === null) return [toText(value)];
    return toText(value).split(toText(separator), limit === null ? undefined : toNumber(limit));
  }),
  SUBSTITUTE: fn(3, 3, ([value = null, search = null, replacement = null]) =>
    toText(value).replaceAll(toText(search), () => toText(replacement)),
  ),
  REPEAT: fn(2, 3, ([value = null, times = null, separator = null], run) => {
    const count = Math.max(0, Math.trunc(toNumber(times)));
    if (count * (toText(value).length + toText(separator).length) > maxText) return mismatch("REPEAT", run);
    return Array<string>(count).fill(toText(value)).join(toText(separator));
  }),
  MD5: hash("md5"),
  SHA1: hash("sha1"),
  SHA256: hash("sha256"),
  SHA512: hash("sha512"),
  TO_HEX: text((value) => Buffer.from(value).toString("hex")),
  TO_BASE64: text((value) => Buffer.from(value).toString("base64")),
  ENCODE_URI_COMPONENT: text((value) => encodeURIComponent(value)),
  JSON_STRINGIFY: fn(1, 1, ([value = null]) => JSON.stringify(value)),
  JSON_PARSE: fn(1, 1, ([value = null], run) => {
    try {
      const parsed: Json = JSON.parse(toText(value));
      return parsed;
    } catch {
      run.warn("functionArgumentType", "invalid argument type in call to function 'JSON_PARSE()'");
      return null;
    }
  }),
  UUID: volatile(0, 0, () => randomUUID()),
  RANDOM_TOKEN: volatile(1, 1, ([length = null], run) => {
    const count = Math.trunc(toNumber(length));
    if (count < 1 || count > maxToken) return mismatch("RANDOM_TOKEN", run);
    return randomBytes(count).toString("hex").slice(0, count);
  }),
};
