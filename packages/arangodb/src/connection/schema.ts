import { delay, Refusal } from "@kv/core";
import type { Database } from "arangojs";
import { CollectionType } from "arangojs/collections";
import type { EnsureIndexOptions } from "arangojs/indexes";
import { ERROR, isMomentary, isNumbered, loginRefusal } from "../errors.ts";
import { orderProbe } from "../stored/keys.ts";
import { LAYOUT_KEY, LAYOUT_VERSION, type Layout } from "../stored/layout.ts";
import { DESCRIBE, HELLO, STRANGER } from "./schema-queries.ts";
import type { Server } from "./server.ts";

/** The oldest server whose persistent indexes sort and skip as they are relied on here. */
const OLDEST = [3, 12, 4] as const;
/** How often what others make at the same time is waited for. */
const ROUNDS = 20;

/** How the data under a collection's name are laid out. */
interface Description {
  readonly version: number;
}

type Hello = readonly [sorted: boolean, description: Description | null];

/** The server's numbers for "not now" while databases, collections and indexes are made: it may go well the next time. */
const UNSETTLED: readonly number[] = [1448, 1460, 1461];

/** Attributes that every document of a collection of ours has. */
const OURS: Readonly<Record<keyof Layout, readonly string[]>> = {
  entries: ["n", "k", "key"],
  changes: ["writer", "number"],
  system: ["kind"],
  links: ["from", "to", "fromOrigin", "toOrigin"],
};
/** How many documents of a collection that was there before are looked at. */
const LOOKED_AT = 100;

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
 * Makes database, collections and indexes where they do not exist, as many processes may at once, and looks whether the
 * server is one that this adapter can rely on. `make`: something of it is known to be missing.
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

/** Makes the collection of links, where it does not exist. */
export async function openLinks(server: Server, layout: Layout): Promise<void> {
  await makeCollection(server, layout, "links");
  await makeIndex(server, layout.links, LINK_INDEX);
}

/** `fits`: nothing is made on a server that does not. */
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
        "database and collections were made, and the server does not know them yet",
      );
    }
    // Others may be at it, and in a cluster it takes a moment until every server knows of it.
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
      "the server's language sorts the symbols of encoded keys in another order than any known one, so that ranges would be wrong; use a server with another --icu-language",
    );
  }
  if (description?.version !== LAYOUT_VERSION) {
    throw new Refusal(
      "KV_UNSUPPORTED",
      `the collection ${entries} was laid out by another version of @kv/arangodb (layout ${description?.version}, and this one knows ${LAYOUT_VERSION}); use that version, or another collection`,
    );
  }
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
  try {
    // On one shard, where a cluster has several servers: only there is a statement all or nothing.
    await settled(() =>
      server.define((database) => database.database("_system").createDatabase(name, { sharding: "single" })),
    );
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

/** Where the database does not exist yet, it will be asked once it is made. */
async function assertOneShardIfThere(server: Server): Promise<void> {
  await assertOneShard(server).catch((error: unknown) => {
    if (!isNumbered(error, ERROR.databaseNotFound)) throw error;
  });
}

/** At each opening: a database may have been restored from one that was on one shard. @throws Refusal, ArangoFailure */
async function assertOneShard(server: Server): Promise<void> {
  const info = await server.ask(() => server.database.get());
  // Only the coordinators of a cluster speak of sharding.
  const sharding = "sharding" in info ? info.sharding : undefined;
  server.isInCluster = sharding !== undefined;
  if (sharding === undefined || sharding === "single") return;
  throw new Refusal(
    "KV_UNSUPPORTED",
    `the database ${JSON.stringify(server.database.name)} is spread over a cluster, where no statement is all or nothing; make a database with the option sharding: "single"`,
  );
}

async function makeCollections(server: Server, layout: Layout): Promise<void> {
  for (const part of ["entries", "changes", "system"] as const) await makeCollection(server, layout, part);
  for (const part of ["entries", "changes", "system"] as const) {
    for (const index of INDEXES[part]) await makeIndex(server, layout[part], index);
  }
  const description = { _key: LAYOUT_KEY, version: LAYOUT_VERSION };
  await server.query(DESCRIBE.text, { "@system": layout.system, description }).catch((error: unknown) => {
    // Another process notes it at this moment, which the next look at it shows.
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
      `there is no collection ${JSON.stringify(name)}, and this user may not make one; grant it write access to the database`,
      { cause: error, retryable: false },
    );
  }
}

/**
 * What another application keeps under a name of ours must not be swept or counted among entries.
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
    `the collection ${JSON.stringify(name)} belongs to another application or store; give this one another name with the option collection`,
  );
}

function makeIndex(server: Server, collection: string, index: EnsureIndexOptions): Promise<unknown> {
  return settled(() => server.define((database) => database.collection(collection).ensureIndex(index)));
}

/** Several processes that make the same at once are in each other's way, and a cluster needs a moment. */
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
