import { compareKeys, namespaceOf } from "@kv/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  descendants,
  documentKey,
  HIGHEST,
  ordered,
  orderedAfter,
  orderProbe,
} from "../../src/stored/keys.ts";

/** One language for each way to sort Latin letters: with digraphs, with letters after z, by case, with v as w, reversed. */
const LANGUAGES = [
  "en-US",
  "da",
  "nb",
  "cs",
  "cy",
  "hu",
  "hr",
  "et",
  "lt",
  "sv",
  "es-u-co-trad",
  "haw",
  "fo",
  "sq",
  "tr",
];

const key = fc.string({ unit: "binary", minLength: 0, maxLength: 12 }).filter((text) => text.isWellFormed());

describe("encoded keys", () => {
  test.each(LANGUAGES)("are in the order of bytes by the collation of %s", (language) => {
    const { compare } = new Intl.Collator(language);
    const probe = [...orderProbe()];
    expect(probe.toSorted(compare)).toEqual(probe);
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(Math.sign(compare(ordered(a), ordered(b)))).toBe(Math.sign(compareKeys(a, b)));
      }),
    );
  });

  test("nothing lies between a key and the beginning behind it, and everything below the highest", () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const behind = orderedAfter(a);
        expect(ordered(a) < behind).toBe(true);
        expect(ordered(b) >= behind).toBe(compareKeys(b, a) > 0);
        expect(ordered(b) < HIGHEST).toBe(true);
      }),
    );
  });

  test("the namespaces below one, and no others, lie within its bounds", () => {
    const segment = fc.constantFrom("a", "ab", "/", "~", "~1", "a/b", "\0", "\u{10ffff}", "é", "z");
    const path = fc.array(segment, { maxLength: 4 });
    fc.assert(
      fc.property(path, path, (one, other) => {
        const { from, to } = descendants(namespaceOf(one));
        const n = ordered(namespaceOf(other).id);
        const below = other.length > one.length && one.every((part, i) => part === other[i]);
        expect(n >= from && n < to).toBe(below);
      }),
    );
  });

  test("the keys of documents differ where namespace or key does, and are ones that the server takes", () => {
    const pairs = [
      ["", "a/b"],
      ["a/", "b"],
      ["a/b", ""],
      ["1:", "a"],
      ["", "1:a"],
      ["", "\u00e9"],
      ["", "e\u0301"],
    ] as const;
    const keys = pairs.map(([namespace, name]) => documentKey(namespace, name));
    expect(new Set(keys).size).toBe(pairs.length);
    for (const each of keys) expect(each).toMatch(/^[\w-]{43}$/);
  });
});
