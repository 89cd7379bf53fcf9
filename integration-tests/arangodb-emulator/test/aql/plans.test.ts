import { Database } from "arangojs";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../src/index.ts";

// The same data behind an emulator that uses its indexes and behind one that never does.
const fields = ["ns", "k", "x"] as const;
const value = fc.constantFrom(null, false, 0, 1, 2.5, "", "a", "A", "aa", "b", "ch", "h", "å", "é", [1], {
  y: 1,
});
const document = fc.record({ ns: fc.constantFrom("m", "n", "aa", null), k: value, x: value });
const field = fc.constantFrom(...fields);
const relation = fc.constantFrom("==", "<", "<=", ">", ">=", "!=", "IN", "NOT IN");

const condition = fc
  .tuple(field, relation, value, fc.array(value, { maxLength: 4 }), fc.boolean())
  .map(([name, operator, one, list, isFlipped]) => {
    const operand = JSON.stringify(operator.endsWith("IN") ? list : one);
    const mirrored: Record<string, string> = { "==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<=" };
    const flipped = mirrored[operator];
    return isFlipped && flipped !== undefined
      ? `${operand} ${flipped} d.${name}`
      : `d.${name} ${operator} ${operand}`;
  });
const filters = fc.array(condition, { maxLength: 4 });
const sort = fc.tuple(fc.uniqueArray(field, { minLength: 0, maxLength: 3 }), fc.constantFrom("ASC", "DESC"));
const index = fc.record({
  fields: fc.uniqueArray(field, { minLength: 1, maxLength: 3 }),
  sparse: fc.boolean(),
});

let emulators: Emulator[] = [];
let databases: Database[] = [];
const language = "da";

beforeAll(async () => {
  emulators = await Promise.all([true, false].map((useIndexes) => startEmulator({ language, useIndexes })));
  databases = emulators.map(({ url }) => new Database({ url }));
});

afterAll(async () => {
  await Promise.all(emulators.map((emulator) => emulator.close()));
});

let runs = 0;

it("a query gives the same with its indexes and over the whole collection", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(document, { maxLength: 40 }),
      fc.array(index, { maxLength: 3 }),
      fc.array(fc.tuple(filters, sort), { minLength: 4, maxLength: 8 }),
      async (documents, indexes, queries) => {
        const name = `c${++runs}`;
        for (const db of databases) {
          const collection = await db.createCollection(name);
          for (const { fields: names, sparse } of indexes) {
            await collection.ensureIndex({ type: "persistent", fields: names, sparse });
          }
          await collection.saveAll(documents.map((each, at) => ({ ...each, _key: `k${at}` })));
        }
        for (const [conditions, [names, direction]] of queries) {
          const filter = conditions.length === 0 ? "" : `FILTER ${conditions.join(" AND ")}`;
          // What compares as equal has no order: the key, sorted in full at last, gives it one.
          const order = [...names, "_key"].map((each) => `d.${each} ${direction}`).join(", ");
          for (const query of [
            `FOR d IN ${name} ${filter} SORT ${order} RETURN d._key`,
            `FOR d IN ${name} ${filter} SORT ${order} LIMIT 2, 5 RETURN d._key`,
            `LET found = (FOR d IN ${name} ${filter} RETURN d._key) RETURN SORTED(found)`,
            `FOR d IN ${name} ${filter} COLLECT ns = d.ns RETURN ns`,
            `FOR d IN ${name} ${filter} SORT ${names[0] === undefined ? "null" : `d.${names[0]} ${direction}`} RETURN d.${names[0] ?? "nothing"}`,
          ]) {
            const [indexed, full] = await Promise.all(
              databases.map(async (db) => (await db.query(query)).all()),
            );
            expect(indexed, query).toEqual(full);
          }
        }
      },
    ),
    { numRuns: 25 },
  );
}, 120_000);
