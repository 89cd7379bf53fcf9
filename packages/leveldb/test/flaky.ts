import type { LevelDatabase, LevelEncodings } from "../src/index.ts";

/** A database whose writes can be made to fail as on a full disk: in the last step, on another thread. */
export function flaky(database: LevelDatabase): LevelDatabase & { failing: boolean } {
  const fail = async () => {
    await new Promise(setImmediate);
    throw new Error("IO error: 000003.log: No space left on device");
  };
  const made: LevelDatabase & { failing: boolean } = {
    failing: false,
    get status() {
      return database.status;
    },
    supports: database.supports,
    open: () => database.open(),
    prefixKey: database.prefixKey.bind(database),
    getSync: database.getSync.bind(database),
    put: <K, V>(key: K, value: V, options: LevelEncodings) =>
      made.failing ? fail() : database.put(key, value, options),
    batch() {
      const batch = database.batch();
      const write = batch.write.bind(batch);
      batch.write = (options) => (made.failing ? fail() : write(options));
      return batch;
    },
    iterator: database.iterator.bind(database),
    snapshot: database.snapshot.bind(database),
  };
  return made;
}
