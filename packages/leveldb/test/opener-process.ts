/**
 * Opens and closes stores as it is told, one request after the other, and answers how each went:
 *
 * - `open`: opens the path and writes `key`; the store stays open.
 * - `try`: opens the path, writes `key` and closes again.
 * - `write`: writes into the store that is open.
 * - `copy`: copies the directory within this process, which opens and closes its lock file.
 * - `close`: closes what is open.
 */
import { cpSync } from "node:fs";
import { createStore, KvError, type Store } from "@kv/core";
import { leveldb } from "../src/index.ts";

export interface Request {
  readonly do: "open" | "try" | "write" | "copy" | "close";
  readonly path: string;
  readonly key?: string;
}

/** `code` and `message` are of the error, if there was one. */
export interface Answer {
  readonly code?: string;
  readonly message?: string;
}

let opened: Store | undefined;

async function obey({ do: what, path, key = "k" }: Request): Promise<Answer> {
  switch (what) {
    case "open":
      opened = createStore(leveldb({ path }));
      return outcome(opened.set(key, 1));
    case "try": {
      const store = createStore(leveldb({ path }));
      const answer = await outcome(store.set(key, 1));
      await store.close();
      return answer;
    }
    case "write":
      return outcome(opened?.set(key, 1));
    case "copy":
      cpSync(path, `${path}-copied`, { recursive: true, force: true });
      return {};
    case "close":
      return outcome(opened?.close());
  }
}

async function outcome(work: Promise<unknown> | undefined): Promise<Answer> {
  try {
    await work;
    return {};
  } catch (error) {
    if (!KvError.is(error)) throw error;
    return { code: error.code, message: error.message };
  }
}

process.on("message", (request: Request) => {
  void obey(request).then((answer) => process.send?.(answer));
});
process.send?.({});
