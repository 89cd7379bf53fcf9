import { type Adapter, type Namespace, namespaceOf, Refusal, type StoredEntry } from "@kv/core";
import { isOfFile, type Reference, referenceIn, whyUnreadable } from "./reference.ts";

/** An entry whose payload is in a file. */
export interface FileEntry {
  readonly namespace: Namespace;
  readonly entry: StoredEntry;
  /** Or why it is invalid. */
  readonly reference: Reference | Refusal;
}

/**
 * Every entry of every namespace whose payload is in a file.
 * @throws Refusal `KV_CORRUPT` if an entry cannot be read, by an index that encrypts for example: it may refer to any file,
 *   so no file could be considered unreferenced
 */
export async function* fileEntries(index: Adapter): AsyncGenerator<FileEntry, void, undefined> {
  const root = namespaceOf([]);
  const namespaces = [root];
  for await (const page of index.namespaces(root)) namespaces.push(...page);
  const everything = { start: "", end: undefined, reverse: false, limit: Number.POSITIVE_INFINITY };
  for (const namespace of namespaces) {
    for await (const page of index.scan(namespace, { ...everything, keysOnly: false })) {
      for (const entry of page) {
        const why = whyUnreadable(entry);
        if (why !== undefined) throw unknowable(namespace, entry.key, why);
        if (isOfFile(entry)) yield { namespace, entry, reference: referenceIn(entry.payload) };
      }
    }
  }
}

/** The number of entries inspected, so that a large existing index is not read as a whole. */
const LOOKED_AT = 10_000;

/** Whether any of the first entries has its payload in a file. */
export async function namesFiles(index: Adapter): Promise<boolean> {
  const root = namespaceOf([]);
  let left = LOOKED_AT;
  const findsOne = async (namespace: Namespace): Promise<boolean> => {
    const range = { start: "", end: undefined, reverse: false, limit: left, keysOnly: false };
    for await (const entries of index.scan(namespace, range)) {
      if (entries.some(isOfFile)) return true;
      left -= entries.length;
    }
    return false;
  };
  if (await findsOne(root)) return true;
  for await (const page of index.namespaces(root)) {
    for (const namespace of page) {
      if (left <= 0) return false;
      if (await findsOne(namespace)) return true;
    }
  }
  return false;
}

function unknowable({ path }: Namespace, key: string, why: Refusal): Refusal {
  const where = path.length === 0 ? "" : ` in the namespace ${JSON.stringify(path)}`;
  const message = `the entry ${JSON.stringify(key)}${where} may name any file, and cannot be read (${why.message}); nothing was removed`;
  return new Refusal("KV_CORRUPT", message, { cause: why });
}
