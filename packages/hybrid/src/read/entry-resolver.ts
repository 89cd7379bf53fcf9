import { type Adapter, type Namespace, Refusal, type StoredEntry } from "@kv/core";
import { corruptFile, directoryFault } from "../errors.ts";
import { payloadOf } from "../stored/content.ts";
import {
  encodingOf,
  isOfFile,
  type Reference,
  referenceOf,
  unreadable,
  withContent,
} from "../stored/reference.ts";
import type { FileReader } from "./file-reader.ts";

/** How often a file is looked for while the index names it: it may be moving into quarantine or out of it. */
const LOOKS = 3;
/** How often an entry may be replaced, and its file be collected, while it is read. */
const REWRITES = 100;

/** Looks up a value by its reference. Throws if it cannot be read; `undefined`: the file is missing. */
type Look<T> = (reference: Reference, entry: StoredEntry) => Promise<T | undefined>;

/** Turns entries of the index into the entries that were written. */
export class EntryResolver {
  readonly #index: Adapter;
  readonly #reader: FileReader;
  readonly #directory: string;

  constructor(index: Adapter, reader: FileReader, directory: string) {
    this.#index = index;
    this.#reader = reader;
    this.#directory = directory;
  }

  /**
   * The entry with its payload: as found, or as it is now if its file was collected meanwhile; `undefined`: it is gone.
   * Never rejects because of a file: an entry that cannot be read is returned as `unreadable`.
   */
  async whole(namespace: Namespace, entry: StoredEntry): Promise<StoredEntry | undefined> {
    let last = entry;
    try {
      return await this.found(
        namespace,
        entry,
        async (reference, current) => {
          last = current;
          const bytes = await this.#reader.read(reference);
          if (bytes === undefined) return undefined;
          const encoding = encodingOf(current);
          const payload = payloadOf(bytes, { text: reference.text, encoding }, this.#index.form);
          return withContent(current, { payload, encoding, size: reference.size });
        },
        async (inline) => inline,
      );
    } catch (error) {
      if (error instanceof IndexFault) throw error.cause;
      return unreadable(last, directoryFault(error, this.#directory));
    }
  }

  /**
   * The result of `look` for the entry's reference, or for its newer one if the entry was replaced meanwhile; for an entry
   * without a file, the result of `otherwise`; `undefined`: the entry is gone.
   * @throws IndexFault if the index fails; Refusal `KV_CORRUPT` if the file is missing; the errors of `look`
   */
  async found<T>(
    namespace: Namespace,
    entry: StoredEntry,
    look: Look<T>,
    otherwise: (entry: StoredEntry) => Promise<T>,
  ): Promise<T | undefined> {
    let current = entry;
    let looks = 0;
    for (let rewrites = 0; rewrites < REWRITES; ) {
      if (!isOfFile(current)) return otherwise(current);
      const reference = referenceOf(current.payload);
      const result = await look(reference, current);
      if (result !== undefined) return result;
      const again = await this.#reread(namespace, current.key);
      if (again === undefined) return undefined;
      // Compared by reference: the index may not have been asked for the revision.
      if (again.payload !== current.payload) {
        rewrites++;
        looks = 0;
      } else if (++looks >= LOOKS) throw corruptFile(reference.file, "is missing");
      current = again;
    }
    throw new Refusal("KV_UNAVAILABLE", "the entry is being replaced faster than it can be read; try again");
  }

  async #reread(namespace: Namespace, key: string): Promise<StoredEntry | undefined> {
    try {
      return (await this.#index.read(namespace, [key]))[0];
    } catch (error) {
      throw new IndexFault(error);
    }
  }
}

/** A failure of the index, as `cause`, so that it is not reported as a failure of the file. */
export class IndexFault extends Error {
  constructor(cause: unknown) {
    super("the index failed", { cause });
  }
}
