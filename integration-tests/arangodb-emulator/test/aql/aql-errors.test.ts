import { beforeEach, describe, expect, it } from "vitest";
import { Lab, messageOf, outcome } from "../lab.ts";

const lab = new Lab();
let name = "";
const bind = () => ({ "@c": name });

beforeEach(async () => {
  name = (await lab.collection()).name;
});

describe("bind parameters", () => {
  it("that are declared have to be given: 1551", async () => {
    expect(await outcome(lab.value("@a"))).toBe("400/1551");
    expect(await messageOf(lab.all("FOR d IN @@x RETURN d"))).toContain("'@x'");
    expect(await outcome(lab.value("@d.@name", { d: {} }))).toBe("400/1551");
  });

  it("that are given have to be declared: 1552", async () => {
    expect(await outcome(lab.value("1", { a: 1 }))).toBe("400/1552");
    expect(await outcome(lab.all("FOR d IN @@c RETURN d", { ...bind(), c: 1 }))).toBe("400/1552");
  });

  it("that stand for a collection have to be names of one", async () => {
    expect(await outcome(lab.all("FOR d IN @@c RETURN d", { "@c": 5 }))).toBe("400/1553");
    expect(await outcome(lab.all("FOR d IN @@c RETURN d", { "@c": "nowhere" }))).toBe("404/1203");
  });

  it("are an object: anything else is 1550", async () => {
    const answer = await lab.send("POST", "/_api/cursor", { query: "RETURN 1", bindVars: [1] });
    expect(answer).toMatchObject({ status: 400, body: { errorNum: 1550 } });
  });

  it("may be undefined in JavaScript, and are then missing on the wire", async () => {
    expect(await outcome(lab.value("@a", { a: undefined }))).toBe("400/1551");
  });
});

describe("OPTIONS", () => {
  it("have to be literal: a bind value or a variable is 1575", async () => {
    const insert = (options: string) => `LET x = "replace" INSERT {} INTO @@c OPTIONS ${options}`;
    expect(await outcome(lab.all(insert("{ overwriteMode: @m }"), { ...bind(), m: "replace" }))).toBe(
      "400/1575",
    );
    expect(await outcome(lab.all(insert("{ overwriteMode: x }"), bind()))).toBe("400/1575");
    expect(await outcome(lab.all(insert('{ overwriteMode: "replace" }'), bind()))).toBe("ok");
  });
});

describe("LIMIT", () => {
  it("takes bind values and literals, but no variables and nothing below zero", async () => {
    expect(await lab.all("FOR i IN 1..5 LIMIT @o, @n RETURN i", { o: 1, n: 2 })).toEqual([2, 3]);
    expect(await outcome(lab.all("LET n = 1 FOR i IN 1..5 LIMIT n RETURN i"))).toBe("400/1504");
    expect(await outcome(lab.all("FOR i IN 1..5 LIMIT @n RETURN i", { n: -1 }))).toBe("400/1504");
    expect(await outcome(lab.all("FOR i IN 1..5 LIMIT @n RETURN i", { n: "2" }))).toBe("400/1504");
  });
});

describe("after a modification", () => {
  it("its collection can be neither read nor written again: 1579", async () => {
    for (const query of [
      "FOR i IN 1..2 INSERT {} INTO @@c FOR d IN @@c RETURN d",
      "INSERT {} INTO @@c INSERT {} INTO @@c",
      "INSERT {} INTO @@c RETURN DOCUMENT('x/1')",
      "INSERT {} INTO @@c RETURN LENGTH(@@c)",
      "INSERT {} INTO @@c LET s = (FOR d IN @@c RETURN d) RETURN s",
      "LET a = (INSERT {} INTO @@c) FOR d IN @@c RETURN d",
      "FOR d IN @@c LET s = (REMOVE d IN @@c) RETURN s",
      "LET d = DOCUMENT(@@c, 'a') LET s = (INSERT {} INTO @@c) RETURN s",
    ]) {
      expect(await outcome(lab.all(query, bind())), query).toBe("400/1579");
    }
  });

  it("another collection can be", async () => {
    const other = (await lab.collection()).name;
    const query = "FOR i IN 1..2 INSERT { i } INTO @@c FOR d IN @@other INSERT d INTO @@third";
    const third = (await lab.collection()).name;
    expect(await outcome(lab.all(query, { ...bind(), "@other": other, "@third": third }))).toBe("ok");
  });

  it("nothing is traversed", async () => {
    const edges = (await lab.edges()).name;
    const query = "INSERT {} INTO @@c FOR v IN OUTBOUND 'c/1' @@e RETURN v";
    expect(await outcome(lab.all(query, { ...bind(), "@e": edges }))).toBe("400/1579");
  });

  it("a lookup inside the modification itself is one before it", async () => {
    const query = "INSERT { found: DOCUMENT(@@c, 'a') == null } INTO @@c RETURN NEW.found";
    expect(await lab.all(query, bind())).toEqual([true]);
  });
});

describe("names", () => {
  it("that are no variables are collections: missing is 1203, in an expression 1568", async () => {
    expect(await outcome(lab.all("FOR d IN nowhere RETURN d"))).toBe("404/1203");
    expect(await outcome(lab.value("nowhere"))).toBe("404/1203");
    expect(await outcome(lab.all("RETURN @@c", bind()))).toBe("400/1568");
  });

  it("cannot be given twice: 1511", async () => {
    expect(await outcome(lab.all("LET a = 1 LET a = 2 RETURN a"))).toBe("400/1511");
    expect(await outcome(lab.all("FOR a IN [1] FOR a IN [2] RETURN a"))).toBe("400/1511");
    expect(await outcome(lab.all("LET a = 1 RETURN (LET a = 2 RETURN a)"))).toBe("400/1511");
    expect(await outcome(lab.all("LET s = (LET a = 1 RETURN a) LET a = 2 RETURN a"))).toBe("ok");
  });

  it("OLD and NEW are known only after a modification", async () => {
    expect(await outcome(lab.all("FOR d IN @@c UPDATE d WITH { n: OLD.n } IN @@c", bind()))).toBe("404/1203");
    expect(await outcome(lab.all("FOR d IN @@c REMOVE d IN @@c RETURN NEW", bind()))).toBe("404/1203");
  });
});

describe("errors of documents inside AQL", () => {
  it("have the numbers that they have outside, and end the query", async () => {
    const attempt = (query: string, more: object = {}) => outcome(lab.all(query, { ...bind(), ...more }));
    await lab.db.collection(name).save({ _key: "a" });
    expect(await attempt('INSERT { _key: "a" } INTO @@c')).toBe("409/1210");
    expect(await attempt('INSERT { _key: "a/b" } INTO @@c')).toBe("400/1221");
    expect(await attempt("INSERT 5 INTO @@c")).toBe("400/1227");
    expect(await attempt('REMOVE "x" IN @@c')).toBe("404/1202");
    expect(await attempt('UPDATE { _key: "x" } WITH {} IN @@c')).toBe("404/1202");
    expect(await attempt("REMOVE {} IN @@c")).toBe("400/1226");
    expect(await attempt("REMOVE 5 IN @@c")).toBe("400/1227");
    expect(await attempt('REMOVE { _key: "a", _rev: "_abc" } IN @@c OPTIONS { ignoreRevs: false }')).toBe(
      "409/1200",
    );
    expect(await attempt('REMOVE { _key: "a", _rev: "_abc" } IN @@c')).toBe("ok");
    expect(await attempt("INSERT {} INTO @@e", { "@e": (await lab.edges()).name, "@c": undefined })).toBe(
      "400/1233",
    );
  });

  it("ASSERT and FAIL raise what they are told", async () => {
    expect(await outcome(lab.value("ASSERT(1 == 2, 'no')"))).toBe("400/1593");
    expect(await messageOf(lab.value("ASSERT(1 == 2, 'no')"))).toBe("no");
    expect(await outcome(lab.value("FAIL('x')"))).toBe("400/1569");
    expect(await lab.value("ASSERT(1, 'no')")).toBe(true);
  });
});
