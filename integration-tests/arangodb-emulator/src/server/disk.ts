import type { Collection } from "../storage/collection.ts";
import { CollectionState } from "../storage/collection-state.ts";
import type { Database } from "../storage/database.ts";

/**
 * What would outlive a loss of power: everything up to the last commit that waited for the disk, since the server's log is
 * written in the order of its commits. Collections and indexes are on disk once they are made.
 */
export class Disk {
  #synced = new Map<Collection, CollectionState>();

  /** A commit that waits for the disk takes everything before it along. */
  sync(databases: readonly Database[]): void {
    this.#synced = new Map(
      databases.flatMap(({ collections }) => collections.map((each) => [each, each.state] as const)),
    );
  }

  /** Takes away what is not on disk. */
  losePower(databases: readonly Database[]): void {
    for (const { collections } of databases) {
      for (const collection of collections) {
        const { indexes } = collection.state;
        const empty = () => CollectionState.empty(indexes.map((index) => index.emptied()));
        collection.state = this.#synced.get(collection) ?? empty();
      }
    }
  }
}
