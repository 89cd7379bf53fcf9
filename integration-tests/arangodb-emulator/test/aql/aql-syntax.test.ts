import { describe, expect, it } from "vitest";
import { parse } from "../../src/aql/parser.ts";
import { Lab, messageOf, outcome } from "../lab.ts";

const lab = new Lab();

const problem = (query: string) => {
  try {
    parse(query);
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

describe("before IN collection", () => {
  it("a ternary, a comparison and a logical operator swallow the IN", () => {
    const trapped = [
      "FOR d IN c UPDATE d WITH d.x ? { a: 1 } : { b: 2 } IN c",
      "INSERT @x ?: {} IN @@c",
      "FOR d IN c UPSERT { _key: d } INSERT {} UPDATE true ? {} : {} IN @@c",
      "FOR d IN c REMOVE d == 1 IN @@c",
      "FOR d IN c REMOVE d AND 1 IN @@c",
      "FOR d IN c REMOVE d.a || d.b IN @@c",
    ];
    for (const query of trapped) expect(problem(query), query).toMatch(/unexpected|syntax error/);
  });

  it("parentheses or INTO give the collection its word back", () => {
    for (const query of [
      "FOR d IN c UPDATE d WITH (d.x ? { a: 1 } : { b: 2 }) IN c",
      "FOR d IN c UPDATE d WITH d.x ? { a: 1 } : { b: 2 } INTO c",
      "INSERT @x ?: {} INTO @@c",
      "FOR d IN c REMOVE (d == 1) IN @@c",
    ]) {
      expect(problem(query), query).toBe("");
    }
  });

  it("what binds tighter than IN does no harm", () => {
    for (const query of [
      "FOR d IN c REMOVE d.a + d.b IN @@c",
      "FOR d IN c REMOVE NOT d IN @@c",
      "FOR d IN c REMOVE d < 1 IN @@c",
      "FOR d IN c REMOVE d IN [1] IN @@c",
      "FOR d IN c UPDATE d WITH { a: d.x ? 1 : 2 } IN @@c",
      "FOR d IN c UPDATE d WITH MERGE(d, { a: 1 }) IN c OPTIONS { keepNull: false }",
    ]) {
      expect(problem(query), query).toBe("");
    }
  });
});

describe("precedence", () => {
  it.each([
    ["1 + 2 * 3", 7],
    ["-2 * -3", 6],
    ["10 - 4 - 3", 3],
    ["2 * 6 / 3 % 3", 1],
    ["1 + 1 == 2", true],
    ["1 < 2 == true", true],
    // NOT binds tighter than everything but access.
    ["NOT 1 == 0", false],
    ["!true || true", true],
    ["true || false && false", true],
    ["1 == 1 && 2 IN [2]", true],
    ["1 IN [1] == true", true],
    ["false ? 1 : true ? 2 : 3", 2],
    ["null ?: 'x'", "x"],
    ["1..3", [1, 2, 3]],
    ["(1 + 1)..3", [2, 3]],
    ["1 + 1..3", [2, 3]],
    ["[1, 2] ALL > 0", true],
    ["[1, 2] ANY == 2", true],
    ["[1, 2] NONE IN [3]", true],
    ["'abc' LIKE 'a%'", true],
    ["'abc' NOT LIKE 'a_'", true],
    ["'abc' =~ '^a'", true],
    ["'abc' !~ '^a'", false],
    ["2 NOT IN [1, 3]", true],
    ["[{ a: 1 }, { a: 2 }][*].a", [1, 2]],
    ["[{ a: [{ b: 1 }] }, { a: [] }][*].a[*].b", [[1], []]],
    ["[[1, 2], [3]][**]", [1, 2, 3]],
    ["[1, 2, 3, 4][* FILTER CURRENT > 1 LIMIT 1, 2 RETURN CURRENT * 10]", [30, 40]],
    ["[1, 2, 3][-1]", 3],
    ["{ a: { b: 1 } }['a'].b", 1],
    ["{ [CONCAT('x', 1)]: 2 }", { x1: 2 }],
    ["LET", undefined],
  ])("%s is %j", async (expression, expected) => {
    if (expected === undefined) expect(await outcome(lab.value(expression))).toBe("400/1501");
    else expect(await lab.value(expression)).toEqual(expected);
  });

  it("knows comments, both kinds of quotes, escapes, and names in backticks", async () => {
    const query = "LET `sort` = 'it\\'s' // one\n/* two * */ RETURN CONCAT(`sort`, \"\\u00e9\\n\")";
    expect(await lab.all(query)).toEqual(["it'sé\n"]);
  });

  it("takes keywords in any letter case, and never as plain names", async () => {
    expect(await lab.all("for x in [1] return x")).toEqual([1]);
    expect(problem("FOR d IN c RETURN d.sort")).toMatch(/unexpected sort/);
    expect(problem("RETURN { filter: 1 }")).toMatch(/syntax error/);
    expect(problem("RETURN { 'filter': 1 }")).toBe("");
    expect(problem("RETURN d.`filter`")).toBe("");
  });

  it("has no accessors behind a literal string", () => {
    expect(problem('RETURN "abc"[0]')).toMatch(/syntax error/);
  });
});

describe("what is no AQL, or not covered", () => {
  it.each([
    ["FOR d IN c", /unexpected end of query string near '' at position 1:11/],
    ["RETURN 1 RETURN 2", /unexpected RETURN near 'RETURN 2' at position 1:10/],
    ["SELECT 1", /unexpected SELECT/],
    ["FOR d IN c SEARCH d.x == 1 RETURN d", /unexpected SEARCH \(this emulator does not cover it\)/],
    [
      "FOR d IN c WINDOW { preceding: 1 } AGGREGATE s = SUM(d) RETURN s",
      /WINDOW declaration \(this emulator/,
    ],
    ["FOR v IN OUTBOUND SHORTEST_PATH 'a/1' TO 'a/2' e RETURN v", /SHORTEST_PATH \(this emulator/],
    ["FOR v IN 1..2 OUTBOUND 'a/1' GRAPH 'g' RETURN v", /GRAPH \(this emulator/],
    ["RETURN a[? FILTER CURRENT]", /question mark operator \(this emulator/],
    ["FOR d IN c COLLECT a = d KEEP d RETURN a", /use of 'KEEP' without 'INTO'/],
    ["FOR d IN c FOO {} RETURN d", /unexpected qualifier 'FOO'/],
  ])("%s is refused by name", async (query, expected) => {
    expect(problem(query)).toMatch(expected);
    expect(await outcome(lab.all(query))).toBe("400/1501");
  });

  it("an empty query is 1502", async () => {
    expect(await outcome(lab.all(" "))).toBe("400/1502");
  });

  it("an unknown function is 1540, a wrong number of arguments 1541", async () => {
    expect(await outcome(lab.value("FOO(1)"))).toBe("400/1540");
    expect(await messageOf(lab.value("FOO::BAR()"))).toContain("FOO::BAR()");
    expect(await outcome(lab.value("LENGTH()"))).toBe("400/1541");
  });
});
