/**
 * Opens and closes stores on request, one request after the other, and answers with the outcome of each:
 *
 * - `open`: opens the path and writes `key`; the store stays open.
 * - `try`: opens the path, writes `key` and closes again.
 * - `write`: writes `key` into the store that is open.
 * - `burst`: from now on writes keys that begin with `key` into it, and reports each that was acknowledged.
 * - `copy`: copies the directory within this process, which opens and closes its lock file.
 * - `die`: begins a backup of it to `key`, and is killed in the middle.
 * - `close`: closes what is open.
 */
import { cpSync } from "node:fs";
import { createStore, KvError, type Store } from "@kv/core";
import { backup, leveldb } from "../../src/index.ts";

export interface Request {
  readonly id: number;
  readonly do: "open" | "try" | "write" | "burst" | "copy" | "die" | "close";
  readonly path: string;
  readonly key?: string;
}

/** The outcome of a request. `code` and `message` are those of the error, if there was one. */
export interface Answer {
  readonly code?: string;
  readonly message?: string;
}

export type Message = { readonly id: number; readonly answer: Answer } | { readonly acknowledged: string };

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
    case "burst":
      void outcome(burst(key));
      return {};
    case "copy":
      // LevelDB may delete a file while it is being copied.
      try {
        cpSync(path, `${path}-copied`, { recursive: true, force: true });
      } catch {}
      return {};
    case "die":
      if (opened !== undefined)
        await backup(opened, key, { onProgress: () => process.kill(process.pid, "SIGKILL") });
      return {};
    case "close":
      return outcome(opened?.close());
  }
}

/** Until a write is refused. */
async function burst(key: string): Promise<void> {
  for (let i = 0; ; i++) {
    await opened?.set(`${key} ${i}`, i);
    send({ acknowledged: `${key} ${i}` });
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

function send(message: Message): void {
  process.send?.(message);
}

process.on("message", (request: Request) => {
  void obey(request).then((answer) => send({ id: request.id, answer }));
});
send({ id: 0, answer: {} });
