/**
 * One of several processes on a hybrid store, for so many milliseconds. A `writer` has keys of its own, sets them to a few
 * contents that all writers share, and deletes them; a `reader` reads all keys; a `collector` collects all the time.
 * The last line says what was done and which answers were wrong.
 */
import { createStore, KvError } from "@kv/core";
import { files, hybrid } from "@kv/hybrid";
import { sqlite } from "@kv/sqlite";

const [role = "", directory = "", layout = "content", milliseconds = "0"] = process.argv.slice(2);
const KEYS = 4;
const store = createStore(
  hybrid({
    index: sqlite({ path: `${directory}/index.db` }),
    directory: `${directory}/files`,
    inlineBelow: 0,
    layout: layout === "readable" ? "readable" : "content",
    collectInterval: null,
  }),
  { timeout: "30s", sweepInterval: null },
);
const contents = Array.from({ length: 3 }, (_, i) => ({ i, text: `content ${i} `.repeat(2000) }));
const isContent = (value: unknown): boolean =>
  contents.some(
    ({ i, text }) => (value as { i?: number }).i === i && (value as { text?: string }).text === text,
  );
const faults: string[] = [];
const fault = (what: string): void => void faults.push(what);
let done = 0;

async function write(i: number): Promise<void> {
  const key = `${process.pid}:${i}`;
  const content = contents[Math.floor(Math.random() * contents.length)];
  await store.set(key, content);
  const read = await store.get(key);
  if ((read as { i?: number } | undefined)?.i !== content?.i)
    fault(`read ${JSON.stringify(read)?.slice(0, 40)}`);
  if (Math.random() < 0.5) await store.delete(key);
}

async function read(): Promise<void> {
  for (const value of await Promise.all((await keys()).map((key) => store.get(key))))
    if (value !== undefined && !isContent(value)) fault("a value that nobody wrote");
  for await (const value of store.values({ onCorrupt: "throw" }))
    if (!isContent(value)) fault("a value in a scan that nobody wrote");
}

async function keys(): Promise<string[]> {
  const all: string[] = [];
  for await (const key of store.keys()) all.push(key);
  return all;
}

const work: Record<string, () => Promise<unknown>> = {
  writer: () => Promise.all(Array.from({ length: KEYS }, (_, i) => write(i))),
  reader: read,
  collector: () => files(store).collect({ grace: 0 }),
};
const end = Date.now() + Number(milliseconds);
while (Date.now() < end) {
  try {
    await work[role]?.();
    done++;
  } catch (error) {
    fault(KvError.is(error) ? `${error.code}: ${error.message}` : String(error));
  }
}
await store.close();
process.stdout.write(`${JSON.stringify({ role, done, faults: faults.slice(0, 5) })}\n`);
