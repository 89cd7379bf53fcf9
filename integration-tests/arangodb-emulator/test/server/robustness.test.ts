import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { compileQuery } from "../../src/aql/compiled-query.ts";
import { functions } from "../../src/aql/functions/functions.ts";
import { ArangoError } from "../../src/errors.ts";
import { Lab } from "../lab.ts";

const lab = new Lab();

beforeAll(async () => {
  const collection = await lab.db.createCollection("c");
  await collection.ensureIndex({ type: "persistent", fields: ["a", "b"] });
  await collection.saveAll([{ a: 1, b: "x" }, { a: null }, { a: [1, { b: 2 }] }, { a: { b: "y" }, b: -1 }]);
});

const words =
  "FOR d IN c @@c FILTER d.a == 1 [ ] { } ( ) ? : , RETURN LET a = SORT LIMIT COLLECT WITH COUNT INTO INSERT UPDATE REMOVE " +
  "UPSERT OLD NEW LENGTH( 's' .. [*] AND NOT @x . - OPTIONS DISTINCT AGGREGATE OUTBOUND ANY LIKE null `q` // /* 1e9 \" ' \\";
const soup = fc
  .array(fc.constantFrom(...words.split(" ")), { maxLength: 25 })
  .map((parts) => parts.join(" "));

const calls = [...functions.keys()];
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4, depthIdentifier: "aql" },
    fc.constantFrom(
      "null",
      "true",
      "0",
      "-1.5",
      "9e300",
      "'a'",
      "'5'",
      "[]",
      "[1, 'b', null]",
      "{ a: { b: [1] } }",
      "d",
      "d.a",
      "d.a.b",
    ),
    fc
      .tuple(
        tie("expression"),
        fc.constantFrom(
          "+",
          "-",
          "*",
          "/",
          "%",
          "==",
          "!=",
          "<",
          ">=",
          "&&",
          "OR",
          "IN",
          "NOT IN",
          "LIKE",
          "=~",
        ),
        tie("expression"),
      )
      .map(([left, operator, right]) => `(${left}) ${operator} (${right})`),
    fc
      .tuple(fc.constantFrom("!", "-", "+"), tie("expression"))
      .map(([operator, operand]) => `${operator}(${operand})`),
    fc
      .tuple(tie("expression"), tie("expression"), tie("expression"))
      .map((parts) => `(${parts[0]}) ? (${parts[1]}) : (${parts[2]})`),
    fc
      .tuple(
        tie("expression"),
        fc.constantFrom("[*].a", "[0]", "[-1]", ".a", "[**]", "[* FILTER CURRENT LIMIT 1]", "['a']"),
      )
      .map(([of, access]) => `(LET v = (${of}) RETURN v)${access}`),
    fc
      .tuple(fc.constantFrom(...calls), fc.array(tie("expression"), { maxLength: 3 }))
      .map(([name, values]) => `${name}(${values.join(", ")})`),
    fc.array(tie("expression"), { maxLength: 3 }).map((members) => `[${members.join(", ")}]`),
    tie("expression").map((value) => `{ k: ${value}, [${value}]: 1 }`),
    tie("expression").map((value) => `(FOR x IN [${value}] SORT x COLLECT g = x RETURN g)`),
  ),
}));

describe("whatever a query says", () => {
  it("a text of words compiles, or is refused with an error of AQL", () => {
    fc.assert(
      fc.property(soup, (text) => {
        try {
          compileQuery(text);
        } catch (error) {
          expect(error, text).toBeInstanceOf(ArangoError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("an expression has a value that is JSON, or an error of AQL: never an internal one", async () => {
    await fc.assert(
      fc.asyncProperty(expression, async (text) => {
        const query = `FOR d IN c FILTER d.a != (${text}) SORT (${text}) RETURN { v: (${text}) }`;
        const { status, body } = await lab.send("POST", "/_api/cursor", { query });
        expect(status, `${query}\n${JSON.stringify(body)}`).not.toBe(500);
        if (status !== 201) return;
        for (const row of (body as { result: object[] }).result) expect(row, query).toHaveProperty("v");
      }),
      { numRuns: 400 },
    );
  });
});

describe("what is too much", () => {
  it.each([
    ["parentheses", `RETURN ${"(".repeat(5000)}1${")".repeat(5000)}`],
    ["operators in front", `RETURN ${"NOT ".repeat(20_000)}true`],
    ["ternaries", `RETURN ${"true ? ".repeat(5000)}1${" : 2".repeat(5000)}`],
  ])("%s nested too deep are 1524", async (_what, query) => {
    const answer = await lab.send("POST", "/_api/cursor", { query });
    expect(answer).toMatchObject({ status: 400, body: { errorNum: 1524 } });
  });

  it("an answer too large to be written down is 32, and the server goes on", async (context) => {
    if (process.env["KV_TEST_FULL"] !== "1") context.skip("needs KV_TEST_FULL=1");
    const query = `LET s = REPEAT("x", 10000000) RETURN (FOR i IN 1..60 RETURN s)`;
    const answer = await lab.send("POST", "/_api/cursor", { query });
    expect(answer).toMatchObject({ status: 500, body: { errorNum: 32 } });
    expect(await lab.value("1")).toBe(1);
  }, 120_000);
});

describe("whatever a request says", () => {
  it("is answered, and never by an internal error", async () => {
    const paths = [
      "document/c",
      "document/c/a",
      "cursor",
      "cursor/1",
      "index?collection=c",
      "collection",
      "collection/c/truncate",
      "transaction/begin",
      "transaction/1",
      "database",
      "edges/c",
      "query",
      "user",
    ];
    const body = fc.oneof(
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc.string(),
      fc.constant(undefined),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paths),
        fc.constantFrom("POST", "PUT", "PATCH", "DELETE", "GET"),
        body,
        async (path, method, text) => {
          const { status, body: answer } = await lab.send(
            method,
            `/_api/${path}`,
            method === "GET" ? undefined : text,
          );
          expect(status, `${method} ${path} ${text}\n${JSON.stringify(answer)}`).toBeLessThan(502);
          expect(
            answer === undefined ||
              !String((answer as { errorMessage?: string }).errorMessage).startsWith("internal"),
            `${method} ${path} ${text}\n${JSON.stringify(answer)}`,
          ).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
  });
});
