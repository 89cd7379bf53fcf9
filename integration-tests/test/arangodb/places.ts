import { randomUUID } from "node:crypto";
import { startEmulator } from "@kv/arangodb-emulator";
import { Database } from "arangojs";
import { afterAll, describe, test } from "vitest";
import { sharedArangodbServers } from "../../services/shared.ts";

/** Where tests run: an emulator of their own, or a real server that the run shares. */
export interface Place {
  /** A database's, with the account. */
  url(database: string): string;
  /** The same as arangojs has it. */
  database(name: string): Database;
  /** The name of a collection that no other test uses. */
  collection(name: string): string;
}

/** Registers tests for the emulator in a language, and for every real server there is. */
export async function inEveryPlace(language: string, register: (place: Place) => void): Promise<void> {
  const emulator = await startEmulator({ language });
  afterAll(() => emulator.close());
  describe(`on the emulator, in ${language}`, () => register(placeAt(emulator.url)));
  for (const [i, server] of (await sharedArangodbServers()).entries()) {
    const name = `on a server by ${server.how ?? "any means"} ${i + 1}`;
    if ("reason" in server) missing(name, server.reason);
    else describe(name, () => register(placeAt(server.url)));
  }
}

/** A test in place of those that have no server: skipped with the reason, or failed where servers are required. */
export function missing(name: string, reason: string): void {
  test(name, (context) => {
    if (process.env["KV_TEST_ARANGODB"] === "required") throw new Error(`there is no ArangoDB: ${reason}`);
    context.skip(reason);
  });
}

function placeAt(address: string): Place {
  const { origin, protocol, host, username, password } = new URL(address);
  const account = username === "" ? "" : `${username}:${password}@`;
  const run = randomUUID();
  return {
    url: (database) => `${protocol}//${account}${host}/${database}`,
    database: (databaseName) =>
      new Database({
        url: origin,
        databaseName,
        auth: { username: decodeURIComponent(username) || "root", password: decodeURIComponent(password) },
      }),
    collection: (name) => `${name}-${run}`,
  };
}
