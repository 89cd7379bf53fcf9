import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { STATEMENTS } from "../src/statements.ts";

const sources = fileURLToPath(new URL("../src", import.meta.url));

describe("the statements", () => {
  test("are all on the list that the command prints, each under a name of its own", () => {
    const script = fileURLToPath(new URL("../scripts/aql.ts", import.meta.url));
    const printed = execFileSync(process.execPath, [script], { encoding: "utf8" });
    for (const { name, text } of STATEMENTS) expect(printed).toContain(`// ${name}\n${text}`);
    expect(new Set(STATEMENTS.map(({ name }) => name)).size).toBe(STATEMENTS.length);
  });

  test("are made nowhere else: whatever builds one is in a file of the list", () => {
    const makers = globSync("**/*.ts", { cwd: sources }).filter((file) =>
      /\bquery\(\n?\s*["`]|(?:=|return) query\(/.test(readFileSync(`${sources}/${file}`, "utf8")),
    );
    expect(makers.sort()).toEqual([
      "connection/schema-queries.ts",
      "keyspace/upkeep-queries.ts",
      "links/link-queries.ts",
      "read/read-queries.ts",
      "watch/feed-queries.ts",
      "write/write-queries.ts",
    ]);
  });

  test("compare no attribute of a document within an OR, of which the optimizer would make two ranges", () => {
    for (const { name, text } of STATEMENTS) {
      for (const [condition] of text.matchAll(/FILTER[^\n]*\bOR\b[^\n]*/g)) {
        expect(condition.replace(/\(@\w+ == null OR [^)]*\)/g, ""), name).not.toMatch(/\bd\.\w+[^\n]*\bOR\b/);
      }
    }
  });

  test.each(STATEMENTS)(
    "$name: collections are bound, and a ternary never stands before IN or INTO",
    ({ text }) => {
      expect(text).not.toMatch(/\bkv(_\w+)?\b/);
      expect(text).not.toMatch(/\$\{|undefined/);
      // The server's grammar would parse such an IN as an operator.
      for (const [line] of text.matchAll(/(?:INSERT|UPDATE|REPLACE|REMOVE)[^\n]*\bIN(?:TO)? @@/g))
        expect(line).not.toMatch(/\?[^{}]*IN @@/);
    },
  );
});
