import { randomUUID } from "node:crypto";
import { startEmulator } from "@kv/arangodb-emulator";
import { createStore, namespaceOf } from "@kv/core";
import { Database } from "arangojs";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { arangodb, links } from "../src/index.ts";
import { STATEMENTS } from "../src/statements.ts";
import { identityOf, namespacePart } from "../src/stored/document.ts";
import { documentKey, HIGHEST, ordered, orderProbe } from "../src/stored/keys.ts";
import { LAYOUT_KEY, LAYOUT_VERSION, layoutOf } from "../src/stored/layout.ts";

// Only a real server can explain how it runs the statements: the emulator chooses its own plans. So this runs only on the
// server that KV_TEST_ARANGODB_URL names, or on one in Docker.

interface Node {
  readonly type: string;
  readonly collection?: string;
  readonly indexes?: readonly { readonly name: string }[];
  /** Set for several loops that are run as one. */
  readonly indexInfos?: readonly {
    readonly collection: string;
    readonly indexes?: readonly { readonly name: string }[];
    readonly index?: { readonly name: string };
  }[];
}

type Plan = readonly Node[];
type Found = { readonly url: string; readonly how?: string } | { readonly reason: string };

const collection = `plans-${randomUUID()}`;
const layout = layoutOf(collection);
const ROOT = namespaceOf([]);
const ID = documentKey("", "k");
const DOC = { ...identityOf(ROOT, "k"), value: 1, encoding: "json", revision: "r", policy: "persist" };

/** A value for each parameter, of the kind that the adapter passes. */
const BINDS: Readonly<Record<string, unknown>> = {
  "@entries": layout.entries,
  "@changes": layout.changes,
  "@system": layout.system,
  "@links": layout.links,
  "@collection": layout.entries,
  ids: [ID, documentKey("", "l")],
  n: ordered(""),
  from: ordered("a"),
  to: HIGHEST,
  limit: 100,
  layout: LAYOUT_KEY,
  probe: orderProbe(),
  attributes: ["n", "k"],
  description: { _key: LAYOUT_KEY, version: LAYOUT_VERSION },
  namespace: "",
  part: namespacePart(ROOT),
  sets: [{ doc: DOC, keep: false }],
  commits: [{ id: ID, key: "k", checks: [], several: false, writes: [{ op: "set", doc: DOC, keep: false }] }],
  rows: [{ id: ID, rev: null, doc: DOC }],
  before: null,
  changed: [["", "k", ID, "set", null]],
  writer: "writer-x",
  number: 1,
  space: `namespace-${ID}`,
  policy: null,
  docs: [{ _key: "writer-x", kind: "writer" }],
  seen: { "writer-x": 1 },
  since: 1,
  watched: 1,
  last: ["writer-x", 1],
  namespaces: [""],
  wanted: [{ _key: "l", k: ordered("l"), type: "to", from: ID, to: ID }],
  id: "l",
  after: "",
  start: ID,
  types: null,
};

/** The indexes that statements must use; statements that are not listed need none. */
const INDEXES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^(?:open|read|look before a commit)$/, ["primary"]],
  [/^(?:page of|count$|stats$)/, ["keys"]],
  [/^namespaces below$/, ["kinds", "keys"]],
  [/^(?:set|commit|delete)/, ["primary"]],
  [/^clear/, ["primary", "keys"]],
  [/^sweep/, ["primary", "expiresAt"]],
  [/^mark empty namespaces$/, ["kinds", "keys"]],
  [/^take empty namespaces/, ["primary", "keys"]],
  [/^remove what is overdue/, ["kinds|watched", "numbers"]],
  [/^where watching begins$/, ["watched", "numbers"]],
  [/^what has changed$/, ["watched", "numbers", "primary", "expiresAt"]],
  [/^(?:link|unlink)/, ["primary"]],
  [/^collect dead links$/, ["order", "primary"]],
  [/^related/, ["edge", "primary"]],
];
const UNSORTED = /^(?:page of|namespaces below|mark empty|clear|collect dead links)/;
/** The statement that examines a few documents of a collection, in no order. */
const SAMPLING = "look for documents of others";
/** Statements that begin by looking up their registration. */
const REGISTERED = /^(?:set|commit|delete|clear)/;

test("the parameters that plans are asked for are those of the statements: the emulator runs all of them, by indexes", async () => {
  const emulator = await startEmulator();
  onTestFinished(() => emulator.close());
  const database = new Database({ url: emulator.url });
  await prepare(emulator.url, 10);
  for (const { name, text } of STATEMENTS) {
    const cursor = await database.query(text, bindsOf(text));
    expect(await cursor.all(), name).toBeInstanceOf(Array);
    if (name !== SAMPLING) expect(cursor.extra.stats?.scannedFull, name).toBe(0);
  }
});

const servers = await found();
for (const [i, server] of servers.entries()) {
  const name = `plans, on a server by ${"how" in server ? server.how : "any means"} ${i + 1}`;
  if ("reason" in server) {
    test(name, (context) => {
      if (process.env["KV_TEST_ARANGODB"] === "required")
        throw new Error(`there is no ArangoDB: ${server.reason}`);
      context.skip(server.reason);
    });
  } else describe(name, () => testsOf(server.url));
}

/** The servers of this run: `integration-tests/services` starts them. */
async function found(): Promise<readonly Found[]> {
  const services: unknown = inject("kvServices" as never);
  const response = await fetch(new URL("arangodb", String(services)));
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as Found[];
}

function testsOf(address: string): void {
  const { origin, username, password } = new URL(address);
  const auth = { username: decodeURIComponent(username) || "root", password: decodeURIComponent(password) };
  const database = new Database({ url: origin, databaseName: "plans", auth });

  beforeAll(async () => {
    // Enough documents to make an index worthwhile.
    const store = createStore(arangodb({ url: origin, database: "plans", ...auth, collection }), {
      timeout: 60,
    });
    await store.setMany(Array.from({ length: 2000 }, (_, i) => [`k${i}`, i]));
    await links(store).linkMany(Array.from({ length: 200 }, (_, i) => ["k0", "to", `k${i + 1}`] as const));
    await store.close();
  });
  afterAll(async () => {
    await Promise.allSettled(Object.values(layout).map((each) => database.collection(each).drop()));
  });

  test.each(STATEMENTS)("$name", async ({ name, text }) => {
    const explained = (await database.request({
      method: "POST",
      pathname: "/_api/explain",
      body: { query: text, bindVars: bindsOf(text), options: { maxNumberOfPlans: 1 } },
    })) as unknown as { readonly plan: { readonly nodes: Plan }; readonly warnings: readonly unknown[] };
    const { nodes } = explained.plan;
    expect(explained.warnings).toEqual([]);
    if (name !== SAMPLING) expect(nodes.filter(({ type }) => type === "EnumerateCollectionNode")).toEqual([]);
    const used = indexesOf(nodes);
    const wanted = INDEXES.find(([statement]) => statement.test(name))?.[1] ?? [];
    for (const alternatives of wanted) {
      expect(
        alternatives.split("|").some((index) => used.has(index)),
        `${alternatives} of ${[...used].join()}`,
      ).toBe(true);
    }
    if (UNSORTED.test(name)) expect(nodes.filter(({ type }) => type === "SortNode")).toEqual([]);
    if (REGISTERED.test(name)) expectWritesBehindRegistration(nodes);
  });
}

/** The given number of entries and links. */
async function prepare(url: string, count: number): Promise<void> {
  const store = createStore(arangodb({ url, collection }), { sweepInterval: null, timeout: 60 });
  await store.setMany(Array.from({ length: count }, (_, i) => [`k${i}`, i]));
  await links(store).linkMany(
    Array.from({ length: count / 10 }, (_, i) => ["k0", "to", `k${i + 1}`] as const),
  );
  await store.close();
}

function bindsOf(text: string): Record<string, unknown> {
  const names = new Set([...text.matchAll(/@(@?\w+)/g)].map(([, name = ""]) => name));
  return Object.fromEntries([...names].map((name) => [name, BINDS[name]]));
}

function indexesOf(nodes: Plan): ReadonlySet<string> {
  const names = nodes.flatMap(({ indexes = [], indexInfos = [] }) => [
    ...indexes.map(({ name }) => name),
    ...indexInfos.flatMap(({ indexes: own = [], index }) =>
      [...own, ...(index === undefined ? [] : [index])].map(({ name }) => name),
    ),
  ]);
  return new Set(names);
}

/** Exactly two subqueries write, the log and the entries, and both run only where writer and namespace were found. */
function expectWritesBehindRegistration(nodes: Plan): void {
  const isWrite = ({ type }: Node) => /^(?:Insert|Update|Replace|Remove|Upsert)Node$/.test(type);
  const writes = nodes.filter(isWrite).map((node) => node.collection);
  expect(writes.toSorted()).toEqual([layout.entries, layout.changes].toSorted());
  const first = nodes.findIndex(isWrite);
  const registrations = nodes
    .slice(0, first)
    .flatMap(({ collection: each, indexInfos = [] }) => [each, ...indexInfos.map((info) => info.collection)])
    .filter((each) => each === layout.system);
  expect(registrations).toHaveLength(2);
  let depth = 0;
  for (const node of nodes) {
    if (node.type === "SubqueryStartNode") depth++;
    if (node.type === "SubqueryEndNode") depth--;
    if (isWrite(node)) expect(depth).toBeGreaterThan(0);
  }
}
