import type { FileId } from "../connection/file-id.ts";

/** What the stores of a thread have open, shared by all copies of this package in the thread. */
interface Register {
  /** Directories, and LevelDB's lock files in them, each with its number of stores. */
  readonly files: Map<FileId, number>;
  /** The prefixes in use, by database handed in. */
  readonly prefixes: WeakMap<object, Set<string>>;
}

const NAME: unique symbol = Symbol.for("@kv/leveldb: open databases");

function register(): Register {
  const shared: typeof globalThis & { [NAME]?: Register } = globalThis;
  shared[NAME] ??= { files: new Map(), prefixes: new WeakMap() };
  return shared[NAME];
}

export function isRegistered(file: FileId): boolean {
  return register().files.has(file);
}

/** Returns a function that removes the registration. */
export function registerFile(file: FileId): () => void {
  const { files } = register();
  files.set(file, (files.get(file) ?? 0) + 1);
  let registered = true;
  return () => {
    if (!registered) return;
    registered = false;
    const left = (files.get(file) ?? 1) - 1;
    if (left > 0) files.set(file, left);
    else files.delete(file);
  };
}

/** The prefixes in use of a database handed in. */
export function prefixesOf(database: object): Set<string> {
  const { prefixes } = register();
  let claimed = prefixes.get(database);
  if (claimed === undefined) {
    claimed = new Set();
    prefixes.set(database, claimed);
  }
  return claimed;
}
