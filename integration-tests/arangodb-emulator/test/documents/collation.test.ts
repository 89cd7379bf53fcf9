import { describe, expect, it } from "vitest";
import { Lab, outcome } from "../lab.ts";

const words = ["a", "B", "A", "b", "aa", "z", "ch", "h", "d", "_", "-", "1", "å", "é", "e"];

/** What ICU says of each language, upper case first: written down, not computed. */
const orders = {
  en_US_POSIX: ["-", "1", "A", "B", "_", "a", "å", "aa", "b", "ch", "d", "e", "é", "h", "z"],
  en_US: ["_", "-", "1", "A", "a", "å", "aa", "B", "b", "ch", "d", "e", "é", "h", "z"],
  da: ["_", "-", "1", "A", "a", "B", "b", "ch", "d", "e", "é", "h", "z", "å", "aa"],
  cs: ["_", "-", "1", "A", "a", "å", "aa", "B", "b", "d", "e", "é", "h", "ch", "z"],
} as const;

describe.each(Object.keys(orders) as (keyof typeof orders)[])("in the language %s", (language) => {
  const lab = new Lab({ language });
  const expected = orders[language];

  it("SORTED, SORT and a persistent index order strings alike", async () => {
    const collection = await lab.collection();
    await collection.saveAll(words.map((k) => ({ k })));
    const bind = { "@c": collection.name };
    const query = "FOR d IN @@c SORT d.k RETURN d.k";
    expect(await lab.value("SORTED(@words)", { words })).toEqual(expected);
    expect(await lab.all(query, bind)).toEqual(expected);
    await collection.ensureIndex({ type: "persistent", fields: ["k"] });
    expect(await lab.all(query, bind)).toEqual(expected);
    expect(await lab.all("FOR d IN @@c SORT d.k DESC RETURN d.k", bind)).toEqual(expected.toReversed());
  });

  it("< compares like SORT, and == compares bytes", async () => {
    const value = await lab.value("(FOR w IN @words FILTER w < 'b' SORT w RETURN w)", { words });
    expect(value).toEqual(expected.slice(0, expected.indexOf("b")));
    expect(await lab.value("'a' == 'A' || 'é' == 'e\\u0301'")).toBe(false);
  });

  it("the sixteen symbols 0-9bcjkqt keep the order of bytes, as do digits", async () => {
    const hex = "0123456789abcdef";
    const symbols = "0123456789bcjkqt";
    const encode = (text: string) =>
      [...Buffer.from(text).toString("hex")].map((digit) => symbols[hex.indexOf(digit)]).join("");
    const keys = [...words, "aA", "AA", "\0", "a\0", "ff", "ddd", "😀", "\uffff"];
    const byBytes = keys.toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
    expect(await lab.value("SORTED(@keys)", { keys: keys.map(encode) })).toEqual(byBytes.map(encode));
  });

  it("a range over _key is one of bytes, whatever the language, because the primary index decides it", async () => {
    const collection = await lab.collection();
    await collection.saveAll(["a", "B", "c", "D"].map((_key) => ({ _key })));
    const bind = { "@c": collection.name };
    expect(await lab.all("FOR d IN @@c FILTER d._key >= 'a' SORT d._key RETURN d._key", bind)).toEqual([
      "a",
      "c",
    ]);
    const collated =
      "FOR d IN @@c OPTIONS { disableIndex: true } FILTER d._key >= 'a' SORT d._key RETURN d._key";
    const isCodeOrder = language === "en_US_POSIX";
    expect(await lab.all(collated, bind)).toEqual(isCodeOrder ? ["a", "c"] : ["a", "B", "c", "D"]);
  });
});

describe("lower-case hexadecimal", () => {
  it("fails in Danish, where aa is a letter of its own", async () => {
    expect(orders.da.indexOf("aa")).toBeGreaterThan(orders.da.indexOf("b"));
  });
});

describe("en_US_POSIX", () => {
  const lab = new Lab();

  it("is the default, and ignores U+0000 when it orders: a unique index takes the two for one value", async () => {
    const collection = await lab.collection();
    await collection.ensureIndex({ type: "persistent", fields: ["k"], unique: true });
    await collection.save({ k: "a" });
    expect(await outcome(collection.save({ k: "a\0" }))).toBe("409/1210");
    expect(await lab.value("'a' == 'a\\u0000'")).toBe(false);
  });
});

describe("a language that there is no data for", () => {
  it("is refused when the emulator starts", async () => {
    const { startEmulator } = await import("../../src/index.ts");
    await expect(startEmulator({ language: "tlh" })).rejects.toThrow(/No collation for the language "tlh"/);
  });
});

describe("without upper case first, as by --icu-language", () => {
  const lab = new Lab({ language: "en_US", upperFirst: false });

  it("a comes before A", async () => {
    expect(await lab.value("SORTED(['A', 'a', 'b'])")).toEqual(["a", "A", "b"]);
  });
});
