import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "@kv/core";
import type { Database } from "arangojs";
import { CollectionType } from "arangojs/collections";
import type { EnsureIndexOptions } from "arangojs/indexes";
import { ERROR, isMomentary, isNumbered, loginRefusal } from "./errors.ts";
import { orderProbe } from "./keys.ts";
import { LAYOUT_KEY, LAYOUT_VERSION, type Layout } from "./layout.ts";
import { DESCRIBE, HELLO } from "./schema-queries.ts";
import type { Server } from "./server.ts";

/** The oldest server whose persistent indexes sort and skip as they are relied on here. */
const OLDEST = [3, 12, 4] as const;
/** How often what others make at the same time is waited for. */
const ROUNDS = 20;

/** How the data under a collection's name are laid out. */
interface Description {
  readonly version: number;
}

type Hello = readonly [sorted: boolean, now: number, description: Description | null];

const TTL: EnsureIndexOptions = {
  type: "ttl",
  name: "reclaimAt",
  fields: ["reclaimAt"],
  expireAfter: 0,
  inBackground: true,
};

/** What of entries can be told from the index alone: keys, counts, and whether they are live. */
const INDEXES: Readonly<Record<"entries" | "changes" | "system", readonly EnsureIndexOptions[]>> = {
  entries: [
    {
      type: "persistent",
      name: "keys",
      fields: ["n", "k"],
      storedValues: ["key", "expiresAt", "policy"],
      inBackground: true,
    },
    { type: "persistent", name: "expiresAt", fields: ["expiresAt"], sparse: true, inBackground: true },
    TTL,
  ],
  changes: [{ type: "persistent", name: "numbers", fields: ["writer", "number"], inBackground: true }, TTL],
  system: [{ type: "persistent", name: "kinds", fields: ["kind", "n"], inBackground: true }, TTL],
};

const LINK_INDEX: EnsureIndexOptions = {
  type: "persistent",
  name: "order",
  fields: ["k"],
  inBackground: true,
};

/**
 * Makes database, collections and indexes where they do not exist, as many processes may at once, and looks whether the
 * server is one that this adapter can rely on. → how many milliseconds its clock is ahead of `Date.now()`
 * @throws Refusal
 */
export async function openSchema(server: Server, layout: Layout): Promise<number> {
  try {
    const fits = assertVersion(server);
    const [ahead] = await Promise.all([hello(server, layout, fits), fits]);
    return ahead;
  } catch (error) {
    throw loginRefusal(error) ?? error;
  }
}

/** Makes the collection of links, where it does not exist. */
export async function openLinks(server: Server, layout: Layout): Promise<void> {
  await makeCollection(server, layout.links, CollectionType.EDGE_COLLECTION);
  await undisturbed(() => server.database.collection(layout.links).ensureIndex(LINK_INDEX), server);
}

/** `fits`: nothing is made on a server that does not. */
async function hello(server: Server, layout: Layout, fits: Promise<void>): Promise<number> {
  const bindVars = { "@system": layout.system, layout: LAYOUT_KEY, probe: orderProbe() };
  for (let round = 1; ; round++) {
    const asked = Date.now();
    const answer = await server.query<Hello>(HELLO.text, bindVars).catch((error: unknown) => {
      if (isNumbered(error, ERROR.databaseNotFound)) return "no database" as const;
      if (isNumbered(error, ERROR.collectionNotFound)) return "no collection" as const;
      throw error;
    });
    const [first] = Array.isArray(answer) ? answer : [];
    if (first?.[2]) return judged(first, layout, (asked + Date.now()) / 2);
    if (round === ROUNDS) {
      throw new Refusal(
        "KV_UNAVAILABLE",
        "database and collections were made, and the server does not know them yet",
      );
    }
    // Others may be at it, and in a cluster it takes a moment until everybody knows of it.
    if (round > 1) await sleep(Math.random() * 20 * round);
    await fits;
    if (answer === "no database") await makeDatabase(server);
    await assertOneShard(server);
    await makeCollections(server, layout);
  }
}

function judged([sorted, now, description]: Hello, { entries }: Layout, ours: number): number {
  if (!sorted) {
    throw new Refusal(
      "KV_UNSUPPORTED",
      "the server's language sorts the symbols of encoded keys in another order than any known one, so that ranges would be wrong; use a server with another --icu-language",
    );
  }
  if (description?.version !== LAYOUT_VERSION) {
    throw new Refusal(
      "KV_UNSUPPORTED",
      `the collection ${entries} was laid out by another version of @kv/arangodb (layout ${description?.version}, and this one knows ${LAYOUT_VERSION}); use that version, or another collection`,
    );
  }
  return Math.round(now - ours);
}

async function assertVersion(server: Server): Promise<void> {
  const version = await versionBy(server, server.database).catch((error: unknown) =>
    // The database is only being made.
    isNumbered(error, ERROR.databaseNotFound)
      ? versionBy(server, server.database.database("_system")).catch(() => undefined)
      : undefined,
  );
  const numbers = version?.split(/[.-]/).map(Number);
  if (numbers === undefined) return;
  for (const [i, least] of OLDEST.entries()) {
    const number = numbers[i] ?? 0;
    if (number > least) return;
    if (number < least)
      throw new Refusal(
        "KV_UNSUPPORTED",
        `the server is ArangoDB ${version}, and ${OLDEST.join(".")} or newer is needed`,
      );
  }
}

async function versionBy(server: Server, database: Database): Promise<string> {
  return (await server.ask(() => database.version())).version;
}

async function makeDatabase(server: Server): Promise<void> {
  const { name } = server.database;
  const system = server.database.database("_system");
  try {
    // On one shard, where a cluster has several servers: only there is a statement all or nothing.
    await server.ask(() => system.createDatabase(name, { sharding: "single" }));
  } catch (error) {
    if (isNumbered(error, ERROR.duplicateName)) return;
    if (loginRefusal(error) === undefined) throw error;
    throw new Refusal(
      "KV_UNAVAILABLE",
      `there is no database ${JSON.stringify(name)}, and this user may not make one; make it, or grant the user access to _system`,
      { cause: error, retryable: false },
    );
  }
}

async function assertOneShard(server: Server): Promise<void> {
  const info = await server.ask(() => server.database.get()).catch(() => undefined);
  // A single server does not speak of sharding.
  const sharding = info !== undefined && "sharding" in info ? info.sharding : undefined;
  if (sharding === undefined || sharding === "single") return;
  throw new Refusal(
    "KV_UNSUPPORTED",
    `the database ${JSON.stringify(server.database.name)} is spread over a cluster, where no statement is all or nothing; make a database with the option sharding: "single"`,
  );
}

async function makeCollections(server: Server, layout: Layout): Promise<void> {
  for (const part of ["entries", "changes", "system"] as const) {
    const name = layout[part];
    await makeCollection(server, name, CollectionType.DOCUMENT_COLLECTION);
    const collection = server.database.collection(name);
    for (const index of INDEXES[part]) await undisturbed(() => collection.ensureIndex(index), server);
  }
  const description = { _key: LAYOUT_KEY, version: LAYOUT_VERSION };
  await undisturbed(() => server.query(DESCRIBE.text, { "@system": layout.system, description }), server);
}

async function makeCollection(server: Server, name: string, type: CollectionType): Promise<void> {
  try {
    if (type === CollectionType.EDGE_COLLECTION)
      await server.ask(() => server.database.createEdgeCollection(name));
    else await server.ask(() => server.database.createCollection(name));
  } catch (error) {
    if (isNumbered(error, ERROR.duplicateName)) return;
    if (loginRefusal(error) === undefined) throw error;
    throw new Refusal(
      "KV_UNAVAILABLE",
      `there is no collection ${JSON.stringify(name)}, and this user may not make one; grant it write access to the database`,
      { cause: error, retryable: false },
    );
  }
}

/** Several processes that make the same index at once are in each other's way. */
async function undisturbed<T>(make: () => Promise<T>, server: Server): Promise<T> {
  for (let round = 1; ; round++) {
    try {
      return await server.ask(make);
    } catch (error) {
      const passing = isMomentary(error) || isNumbered(error, ERROR.collectionNotFound);
      if (!passing || round === ROUNDS) throw error;
      await sleep(Math.random() * 10 * round);
    }
  }
}
