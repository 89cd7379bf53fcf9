/** Values that come back deeply equal under `json`. */
export const JSON_SAMPLES: readonly unknown[] = [
  null,
  false,
  true,
  0,
  1,
  -1,
  "",
  "text",
  // The limits of a double, and numbers that a 32- or 64-bit integer would change.
  0.1,
  -1.5,
  1e21,
  1e-7,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  -(2 ** 53 - 1),
  2 ** 53 + 2,
  2 ** 63,
  123_456_789_012_345_680_000,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  Number.EPSILON,
  // Text that looks like another value, or like the end of one.
  "0",
  "123",
  "-0",
  "1e3",
  "null",
  "true",
  "undefined",
  '{"a":1}',
  "[1]",
  '"',
  "\\",
  "\\u0000",
  "\0",
  "a\0b",
  "\n",
  "\u2028\u2029",
  "\ufeff",
  "\ud800",
  "a\udfffb",
  "é",
  "e\u0301",
  "\uffff",
  "\u{10ffff}",
  "👩‍👩‍👧",
  " padded ",
  "x".repeat(70_000),
  "2026-11-20T00:00:00.000Z",
  [],
  {},
  [[]],
  [{}],
  [null],
  [1, [2, [3, [4]]]],
  [null, false, 0, "", [], {}],
  { a: 1 },
  { "": 0 },
  { a: { b: { c: null } } },
  { "a.b": 1, "a[0]": 2, $: 3, "\0": 4, é: 5 },
  { 1: "one", 0: "zero" },
  { length: 1, constructor: 2, toString: 3, toJSON: "not a function" },
  { key: "k", value: 1, revision: "r", expiresAt: 5, type: "Buffer", data: [1, 2] },
  JSON.parse('{"__proto__":{"admin":true},"a":{"__proto__":null}}'),
  { list: Array.from({ length: 1000 }, (_, position) => ({ position, square: position ** 2 })) },
];

/** Samples that every codec keeps: others than `json` may refuse text with no UTF-8 form, and `__proto__` as a name. */
export function samplesIn(codec: string): readonly unknown[] {
  if (codec === "json") return JSON_SAMPLES;
  return JSON_SAMPLES.filter((sample) => !/\\ud[89a-f]|__proto__/.test(JSON.stringify(sample)));
}

/** This many arrays, each inside another. */
export function nested(depth: number): unknown {
  let value: unknown = "core";
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}
