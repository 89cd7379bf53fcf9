import { describe, expect, it } from "vitest";
import { functions } from "../../src/aql/functions/functions.ts";
import { Lab } from "../lab.ts";

const lab = new Lab();

const cases: readonly (readonly [string, unknown])[] = [
  ["LENGTH([1, 2])", 2],
  ["LENGTH('aé😀')", 3],
  ["LENGTH({ a: 1 })", 1],
  ["LENGTH(null)", 0],
  ["COUNT([1])", 1],
  ["FIRST([3, 4])", 3],
  ["FIRST([])", null],
  ["LAST([3, 4])", 4],
  ["NTH([3, 4], 1)", 4],
  ["APPEND([1], [2, 1])", [1, 2, 1]],
  ["APPEND([1], [2, 1], true)", [1, 2]],
  ["PUSH([1], [2])", [1, [2]]],
  ["FLATTEN([1, [2, [3]]])", [1, 2, [3]]],
  ["FLATTEN([1, [2, [3]]], 2)", [1, 2, 3]],
  ["UNIQUE([1, 1, 'a', [1], [1]])", [1, "a", [1]]],
  ["SLICE([1, 2, 3, 4], 1, 2)", [2, 3]],
  ["SLICE([1, 2, 3, 4], -2)", [3, 4]],
  ["UNION([1], [1])", [1, 1]],
  ["INTERSECTION([1, 2], [2, 3])", [2]],
  ["MINUS([1, 2], [2])", [1]],
  ["POSITION([1, 2], 2)", true],
  ["POSITION([1, 2], 2, true)", 1],
  ["REMOVE_VALUE([1, 2, 1], 1)", [2]],
  ["REVERSE([1, 2])", [2, 1]],
  ["RANGE(1, 5, 2)", [1, 3, 5]],
  ["ZIP(['a', 'b'], [1, 2])", { a: 1, b: 2 }],
  ["VALUES({ a: 1, _b: 2 }, true)", [1]],
  ["ATTRIBUTES({ b: 1, a: 2 }, false, true)", ["a", "b"]],
  ["HAS({ a: null }, 'a')", true],
  ["HAS({}, 'toString')", false],
  ["MERGE({ a: { x: 1 } }, { a: { y: 2 } })", { a: { y: 2 } }],
  ["MERGE_RECURSIVE({ a: { x: 1 } }, { a: { y: 2 } })", { a: { x: 1, y: 2 } }],
  ["MERGE([{ a: 1 }, { b: null }])", { a: 1, b: null }],
  ["UNSET({ a: 1, b: 2, c: 3 }, 'a', ['c'])", { b: 2 }],
  ["KEEP({ a: 1, b: 2 }, ['a', 'z'])", { a: 1 }],
  ["CONCAT('a', null, 1, true, [1])", "a1true[1]"],
  ["CONCAT(['a', 'b'])", "ab"],
  ["CONCAT_SEPARATOR('-', 'a', null, 'b')", "a-b"],
  ["SUBSTRING('abcd', 1, 2)", "bc"],
  ["SUBSTRING('abcd', -2)", "cd"],
  ["LEFT('abc', 2)", "ab"],
  ["RIGHT('abc', 2)", "bc"],
  ["UPPER('ab')", "AB"],
  ["LOWER('AB')", "ab"],
  ["TRIM('  a ')", "a"],
  ["SPLIT('a-b', '-')", ["a", "b"]],
  ["SUBSTITUTE('a-b', '-', '+')", "a+b"],
  ["CONTAINS('abc', 'b')", true],
  ["STARTS_WITH('abc', 'ab')", true],
  ["LIKE('a_c%', 'a\\\\_c\\\\%')", true],
  ["LIKE('abc', 'A%', true)", true],
  ["REGEX_TEST('abc', '^a.c$')", true],
  ["SHA256('abc')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ["MD5('abc')", "900150983cd24fb0d6963f7d28e17f72"],
  ["JSON_STRINGIFY({ a: 1 })", '{"a":1}'],
  ["JSON_PARSE('[1]')", [1]],
  ["MIN([3, null, 1])", 1],
  ["MAX([3, 'a'])", "a"],
  ["SUM([1, null, 2])", 3],
  ["SUM([])", 0],
  ["SUM(['a'])", null],
  ["AVERAGE([1, 2])", 1.5],
  ["AVERAGE([])", null],
  ["FLOOR(-1.5)", -2],
  ["CEIL(1.2)", 2],
  ["ROUND(2.5)", 3],
  ["ROUND(-2.5)", -2],
  ["ABS(-3)", 3],
  ["POW(2, 10)", 1024],
  ["TO_NUMBER(' 12.5 ')", 12.5],
  ["TO_NUMBER('12x')", 0],
  ["TO_NUMBER([7])", 7],
  ["TO_STRING(null)", ""],
  ["TO_STRING({ a: [1] })", '{"a":[1]}'],
  ["TO_BOOL('')", false],
  ["TO_ARRAY('a')", ["a"]],
  ["TO_ARRAY(null)", []],
  ["TYPENAME([])", "array"],
  ["TYPENAME(true)", "bool"],
  [
    "[IS_NULL(null), IS_BOOL(1), IS_NUMBER(1), IS_STRING(''), IS_ARRAY([]), IS_OBJECT({})]",
    [true, false, true, true, true, true],
  ],
  ["NOT_NULL(null, 0, 1)", 0],
  ["PASSTHRU(5)", 5],
  ["PARSE_IDENTIFIER('c/k')", { collection: "c", key: "k" }],
  ["PARSE_KEY('c/k')", "k"],
  ["DATE_ISO8601(0)", "1970-01-01T00:00:00.000Z"],
  ["DATE_TIMESTAMP('1970-01-01T00:00:01')", 1000],
  ["SORTED([2, 'a', null, 1])", [null, 1, 2, "a"]],
];

describe("functions", () => {
  it.each(cases)("%s is %j", async (expression, expected) => {
    expect(await lab.value(expression)).toEqual(expected);
  });

  it("DATE_NOW is the time in milliseconds, at each call", async () => {
    const [first, last] = (await lab.value("[DATE_NOW(), DATE_NOW()]")) as [number, number];
    expect(Math.abs(Date.now() - first)).toBeLessThan(10_000);
    expect(last).toBeGreaterThanOrEqual(first);
  });

  it("a wrong type is null and warning 1542", async () => {
    const cursor = await lab.db.query("RETURN UNSET(5, 'a')");
    expect(await cursor.all()).toEqual([null]);
    expect(cursor.extra.warnings).toMatchObject([{ code: 1542 }]);
  });

  it("DOCUMENT finds by id or by collection and key, one or many", async () => {
    const collection = await lab.collection();
    const { name } = collection;
    await collection.saveAll([{ _key: "a" }, { _key: "b" }]);
    const keys = (expression: string) => lab.value(expression, { "@c": name, id: `${name}/a` });
    expect(await keys("[DOCUMENT(@id)._key, DOCUMENT(@@c, 'b')._key]")).toEqual(["a", "b"]);
    expect(await keys("[DOCUMENT(@@c, ['a', 'x', @id])[*]._key, DOCUMENT(@@c, 'x')]")).toEqual([
      ["a", "a"],
      null,
    ]);
  });

  it("are all spelled in capitals, whatever the query writes", async () => {
    expect([...functions.keys()].filter((name) => name !== name.toUpperCase())).toEqual([]);
    expect(await lab.value("length([1])")).toBe(1);
  });
});
