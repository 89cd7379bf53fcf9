import { delay, Refusal } from "@kv/core";
import type { Database } from "arangojs";
import { CollectionType } from "arangojs/collections";
import type { EnsureIndexOptions } from "arangojs/indexes";
import { ERROR, isMomentary, isNumbered, loginRefusal } from "../errors.ts";
import { orderProbe } from "../stored/keys.ts";
import { LAYOUT_KEY, LAYOUT_VERSION, type Layout } from "../stored/layout.ts";
import { DESCRIBE, HELLO, STRANGER } from "./schema-queries.ts";
import type { Server } from "./server.ts";

/** The oldest version whose persistent indexes sort and skip as the adapter requires. */
const OLDEST = [3, 12, 4] as const;
/** How often the adapter waits for another process that creates the same thing. */
const ROUNDS = 20;

/** How the data under a collection's name are laid out. */
interface Description {
  readonly version: number;
}

type Hello = readonly [sorted: boolean, description: Description | null];

/** Temporary errors while databases, collections and indexes are being created: a retry may succeed. */
const UNSETTLED: readonly number[] = [1448, 1460, 1461];

/** Attributes that every document of the store's collections has. */
const OURS: Readonly<Record<keyof Layout, readonly string[]>> = {
  entries: ["n", "k", "key"],
  changes: ["writer", "number"],
  system: ["kind"],
  links: ["from", "to", "fromOrigin", "toOrigin"],
};
/** How many documents of an existing collection are examined. */
const LOOKED_AT = 100;

const TTL: EnsureIndexOptions = {
  type: "ttl",
  name: "reclaimAt",
  fields: ["reclaimAt"],
  expireAfter: 0,
  inBackground: true,
};

/** From the index of keys alone, a statement can read keys, counts, and whether entries are live. */
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
  system: [
    { type: "persistent", name: "kinds", fields: ["kind", "n"], inBackground: true },
    { type: "persistent", name: "watched", fields: ["kind", "watchedUntil"], inBackground: true },
    TTL,
  ],
};

const LINK_INDEX: EnsureIndexOptions = {
  type: "persistent",
  name: "order",
  fields: ["k"],
  inBackground: true,
};

/**
 * Creates missing database, collections and indexes, which many processes may do at once, and checks whether the server
 * meets the adapter's requirements. `make`: something is known to be missing.
 * @throws Refusal
 */
export async function openSchema(
  server: Server,
  layout: Layout,
  { make = false }: { readonly make?: boolean } = {},
): Promise<void> {
  try {
    const fits = assertVersion(server);
    await Promise.all([hello(server, layout, fits, make), fits, assertOneShardIfThere(server)]);
  } catch (error) {
    throw loginRefusal(error) ?? error;
  }
}

/** Creates the collection of links if it does not exist. */
export async function openLinks(server: Server, layout: Layout): Promise<void> {
  await makeCollection(server, layout, "links");
  await makeIndex(server, layout.links, LINK_INDEX);
}

/** `fits` rejects for an unsuitable server: nothing is created there. */
async function hello(server: Server, layout: Layout, fits: Promise<void>, make: boolean): Promise<void> {
  const bindVars = { "@system": layout.system, layout: LAYOUT_KEY, probe: orderProbe() };
  for (let round = 1; ; round++) {
    const answer = await server.query<Hello>(HELLO.text, bindVars).catch((error: unknown) => {
      if (isNumbered(error, ERROR.databaseNotFound)) return "no database" as const;
      if (isNumbered(error, ERROR.collectionNotFound)) return "no collection" as const;
      throw error;
    });
    const [first] = Array.isArray(answer) ? answer : [];
    if (first?.[1]) {
      assertFits(first, layout);
      if (!make || round > 1) return;
    }
    if (round === ROUNDS) {
      throw new Refusal(
        "KV_UNAVAILABLE",
        "the database and collections were created, but the server does not know them yet; try again",
      );
    }
    // Another process may be creating them, and in a cluster it takes a moment until every server knows them.
    if (round > 1) await delay(Math.random() * 20 * round);
    await fits;
    if (answer === "no database") await makeDatabase(server);
    await assertOneShard(server);
    await makeCollections(server, layout);
  }
}

/** @throws Refusal */
function assertFits([sorted, description]: Hello, { entries }: Layout): void {
  if (!sorted) {
    throw new Refusal(
      "KV_UNSUPPORTED",
      "the server's language sorts encoded keys in an unexpected order, so ranges would be wrong; use a server with another --icu-language",
    );
  }
  if (description?.version !== LAYOUT_VERSION) {
    throw new Refusal(
      "KV_UNSUPPORTED",
      `the collection ${entries} was laid out by another version of @kv/arangodb (layout ${description?.version}; this version supports layout ${LAYOUT_VERSION}); use that version, or another collection`,
    );
  }
}

async function assertVersion(server: Server): Promise<void> {
  const version = await versionBy(server, server.database).catch((error: unknown) =>
    // The database does not exist yet.
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
        `the server is ArangoDB ${version}; use version ${OLDEST.join(".")} or newer`,
      );
  }
}

async function versionBy(server: Server, database: Database): Promise<string> {
  return (await server.ask(() => database.version())).version;
}

async function makeDatabase(server: Server): Promise<void> {
  const { name } = server.database;
  try {
    // On one shard, also in a cluster of several servers: only there is a statement atomic.
    await settled(() =>
      server.define((database) => database.database("_system").createDatabase(name, { sharding: "single" })),
    );
  } catch (error) {
    if (isNumbered(error, ERROR.duplicateName)) return;
    if (loginRefusal(error) === undefined) throw error;
    throw new Refusal(
      "KV_UNAVAILABLE",
      `there is no database ${JSON.stringify(name)}, and this user may not create it; create it, or grant the user access to _system`,
      { cause: error, retryable: false },
    );
  }
}

/** Skips a database that does not exist yet; it is checked once it has been created. */
async function assertOneShardIfThere(server: Server): Promise<void> {
  await assertOneShard(server).catch((error: unknown) => {
    if (!isNumbered(error, ERROR.databaseNotFound)) throw error;
  });
}

/** Runs at each opening, since data may have been restored into a spread database. @throws Refusal, ArangoFailure */
async function assertOneShard(server: Server): Promise<void> {
  const info = await server.ask(() => server.database.get());
  // Only the coordinators of a cluster report sharding.
  const sharding = "sharding" in info ? info.sharding : undefined;
  server.isInCluster = sharding !== undefined;
  if (sharding === undefined || sharding === "single") return;
  throw new Refusal(
    "KV_UNSUPPORTED",
    `the database ${JSON.stringify(server.database.name)} is spread over a cluster, where statements are not atomic; create a database with the option sharding: "single"`,
  );
}

async function makeCollections(server: Server, layout: Layout): Promise<void> {
  for (const part of ["entries", "changes", "system"] as const) await makeCollection(server, layout, part);
  for (const part of ["entries", "changes", "system"] as const) {
    for (const index of INDEXES[part]) await makeIndex(server, layout[part], index);
  }
  const description = { _key: LAYOUT_KEY, version: LAYOUT_VERSION };
  await server.query(DESCRIBE.text, { "@system": layout.system, description }).catch((error: unknown) => {
    // Another process is recording it right now, which the next check shows.
    if (!isMomentary(error)) throw error;
  });
}

async function makeCollection(server: Server, layout: Layout, part: keyof Layout): Promise<void> {
  const name = layout[part];
  try {
    await settled(() =>
      server.define((database) =>
        part === "links" ? database.createEdgeCollection(name) : database.createCollection(name),
      ),
    );
  } catch (error) {
    if (isNumbered(error, ERROR.duplicateName)) return assertOurs(server, layout, part);
    if (loginRefusal(error) === undefined) throw error;
    throw new Refusal(
      "KV_UNAVAILABLE",
      `there is no collection ${JSON.stringify(name)}, and this user may not create it; grant the user write access to the database`,
      { cause: error, retryable: false },
    );
  }
}

/**
 * Another application's documents under one of the store's names must not be swept or counted as entries.
 * @throws Refusal `KV_INVALID_OPTION`
 */
async function assertOurs(server: Server, layout: Layout, part: keyof Layout): Promise<void> {
  const name = layout[part];
  const wanted = part === "links" ? CollectionType.EDGE_COLLECTION : CollectionType.DOCUMENT_COLLECTION;
  const { type } = await settled(() => server.ask(() => server.database.collection(name).get()));
  const strangers =
    type === wanted
      ? await settled(() =>
          server.query(STRANGER.text, {
            "@collection": name,
            attributes: OURS[part],
            layout: LAYOUT_KEY,
            limit: LOOKED_AT,
          }),
        )
      : [];
  if (type === wanted && strangers.length === 0) return;
  throw new Refusal(
    "KV_INVALID_OPTION",
    `the collection ${JSON.stringify(name)} belongs to another application or store; choose another name with the option collection`,
  );
}

function makeIndex(server: Server, collection: string, index: EnsureIndexOptions): Promise<unknown> {
  return settled(() => server.define((database) => database.collection(collection).ensureIndex(index)));
}

/** Retries while several processes that create the same thing collide, or a cluster needs a moment. */
async function settled<T>(make: () => Promise<T>): Promise<T> {
  for (let round = 1; ; round++) {
    try {
      return await make();
    } catch (error) {
      const passing = isMomentary(error) || isNumbered(error, ERROR.collectionNotFound, ...UNSETTLED);
      if (!passing || round === ROUNDS) throw error;
      await delay(Math.random() * 10 * round);
    }
  }
}
