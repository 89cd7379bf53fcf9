import type { Namespace, StoredEntry } from "@kv/core";
import type { Server } from "../connection/server.ts";
import { ArangoEntry, type Row } from "../stored/document.ts";
import { documentKey } from "../stored/keys.ts";
import type { Layout } from "../stored/layout.ts";
import { READ } from "./read-queries.ts";

/** Reads entries by key: one statement for all of them. */
export class Reader {
  readonly #server: Server;
  readonly #layout: Layout;

  constructor(server: Server, layout: Layout) {
    this.#server = server;
    this.#layout = layout;
  }

  async read(namespace: Namespace, keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    if (keys.length === 0) return [];
    const ids = keys.map((key) => documentKey(namespace.id, key));
    const rows = await this.#server.execute<readonly [id: string, row: Row]>(READ, {
      "@entries": this.#layout.entries,
      ids: [...new Set(ids)],
    });
    const found = new Map(rows);
    return ids.map((id, i) => {
      const row = found.get(id);
      return row === undefined ? undefined : new ArangoEntry(row, keys[i]);
    });
  }
}
