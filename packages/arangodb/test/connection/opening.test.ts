import { type Emulator, startEmulator } from "@kv/arangodb-emulator";
import { createStore } from "@kv/core";
import { Database } from "arangojs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { arangodb } from "../../src/index.ts";

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator.close());

/** A client to which every server reports an older version. */
function outdated(databaseName: string): Database {
  const client = new Database({ url: emulator.url, databaseName });
  const asOf = (database: Database): Database =>
    Object.assign(database, {
      version: async () => {
        await database.get();
        return { server: "arango", version: "3.11.8", license: "community" };
      },
    });
  const other = client.database.bind(client);
  client.database = (name) => asOf(other(name));
  return asOf(client);
}

describe("a server that is too old", () => {
  test.each(["_system", "absent"])("is refused, and nothing is made there: database %s", async (name) => {
    const store = createStore(arangodb({ client: outdated(name), collection: "outdated" }));
    const error = await store.set("k", 1).catch((refusal: unknown) => refusal);
    expect(error).toMatchObject({
      code: "KV_UNSUPPORTED",
      message: expect.stringMatching(/3\.11\.8.*3\.12\.4/),
    });
    await store.close();
    const system = new Database({ url: emulator.url });
    expect(await system.listDatabases()).toEqual(["_system"]);
    expect(await system.listCollections()).toEqual([]);
  });
});
