/** Reads entries of a store over damaged files, once it gets the request, and answers with the faults it found. */
import { createStore, KvError } from "@kv/core";
import { type LeveldbPathOptions, leveldb } from "../../src/index.ts";

export interface Task {
  readonly options: LeveldbPathOptions;
  readonly entries: readonly (readonly [key: string, value: string])[];
}

export interface Findings {
  /** The codes of all errors. */
  readonly codes: readonly string[];
  /** Keys whose value was neither right nor absent. */
  readonly wrong: readonly string[];
}

async function findings({ options, entries }: Task): Promise<Findings> {
  const codes = new Set<string>();
  const wrong: string[] = [];
  const store = createStore(leveldb(options));
  for (const [key, value] of entries) {
    try {
      const found = await store.get(key);
      if (found !== undefined && found !== value) wrong.push(key);
    } catch (error) {
      codes.add(KvError.is(error) ? error.code : String(error));
    }
  }
  await store.close();
  return { codes: [...codes], wrong };
}

process.once("message", (task: Task) => {
  void findings(task).then((found) => process.send?.(found, () => process.disconnect()));
});
