import { describe, expect, it } from "vitest";
import { Lab, outcome } from "../lab.ts";

const lab = new Lab({ language: "en_US" });

describe("the order of values", () => {
  it("is null, booleans, numbers, strings, arrays, objects", async () => {
    const ordered = [
      null,
      false,
      true,
      -1,
      0,
      1.5,
      2,
      "",
      "a",
      "B",
      [],
      [1],
      [1, 2],
      [2],
      {},
      { b: 1 },
      { a: 1 },
    ];
    const shuffled = ordered.toReversed();
    // An empty array compares as [null], an object attribute by attribute in the order of names.
    expect(await lab.value("SORTED(@shuffled)", { shuffled })).toEqual(ordered);
  });

  it("puts null below every number: x > 10 drops it, x < 10 keeps it", async () => {
    expect(await lab.value("[null > 10, null < 10, null < -10, null == 0]")).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it("counts what is missing at the end of an array, and in an object, as null", async () => {
    expect(await lab.value("[[1] == [1, null], [1] < [1, false], {} == { a: null }]")).toEqual([
      true,
      true,
      true,
    ]);
  });

  it("compares numbers as numbers", async () => {
    expect(await lab.value("[1 == 1.0, 2 < 10, '2' < '10', 1 == '1', 1 < '0']")).toEqual([
      true,
      true,
      false,
      false,
      true,
    ]);
  });
});

describe("truth", () => {
  it("is everything but null, false, 0 and the empty string", async () => {
    const values = [null, false, 0, "", [], {}, "0", -1];
    expect(await lab.value("@values[* RETURN !CURRENT]", { values })).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it("&& and || answer with one of their operands", async () => {
    expect(await lab.value("[1 && 'a', 0 && 'a', null || 'x', 'y' || 'x']")).toEqual(["a", 0, "x", "y"]);
  });
});

describe("arithmetic", () => {
  it("turns its operands into numbers, and does not concatenate", async () => {
    expect(await lab.value("[null + 1, '3' + 4, 'x' + 1, true + 1, [5] + 1, [1, 2] + 1, -'2']")).toEqual([
      1, 7, 1, 2, 6, 1, -2,
    ]);
  });

  it("answers a division by zero with null and warning 1562", async () => {
    const cursor = await lab.db.query("RETURN [1 / 0, 1 % 0]");
    expect(await cursor.all()).toEqual([[null, null]]);
    expect(cursor.extra.warnings).toMatchObject([{ code: 1562 }, { code: 1562 }]);
    expect(await outcome(lab.db.query("RETURN 1 / 0", {}, { failOnWarning: true }))).toBe("400/1562");
  });

  it("is exact to 2^53, and overflows to null", async () => {
    expect(await lab.value("9007199254740991 - 1")).toBe(9007199254740990);
    expect(await lab.value("1e308 * 10")).toBeNull();
  });
});

describe("access", () => {
  it("to what is not there is null, whatever JavaScript objects inherit", async () => {
    const d = { a: "x", list: [1] };
    const paths = [
      "d.b",
      "d.a.length",
      "d.b.c.d",
      "d.list[5]",
      "d.constructor",
      "d.list.length",
      "d['toString']",
    ];
    expect(await lab.value(`(LET d = @d RETURN [${paths.join(", ")}])[0]`, { d })).toEqual(
      paths.map(() => null),
    );
  });

  it("takes attribute names from bind values, one or a path", async () => {
    const d = { a: { b: 1 } };
    expect(await lab.value("@d.@name", { d, name: "a" })).toEqual({ b: 1 });
    expect(await lab.value("@d.@path", { d, path: ["a", "b"] })).toBe(1);
    expect(await outcome(lab.value("@d.@name", { d, name: 5 }))).toBe("400/1553");
  });
});

describe("a loop", () => {
  it("over what is no array is 1563", async () => {
    expect(await outcome(lab.all("FOR x IN @x RETURN x", { x: 5 }))).toBe("400/1563");
    expect(await outcome(lab.all("FOR x IN null RETURN x"))).toBe("400/1563");
  });
});

describe("IN", () => {
  it("is false both ways where the right side is no array", async () => {
    expect(await lab.value("[1 IN 5, 1 NOT IN 5, 'a' IN 'abc', 1 IN [1]]")).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });
});
