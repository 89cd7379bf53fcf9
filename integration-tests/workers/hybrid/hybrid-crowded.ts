/** The rest of the program takes all descriptors that the process may have: for a moment, then for good. */
import { closeSync, openSync } from "node:fs";
import { createStore, KvError } from "@kv/core";
import { files, hybrid } from "@kv/hybrid";
import { memory } from "@kv/memory";

const [directory = ""] = process.argv.slice(2);
const store = createStore(hybrid({ index: memory(), directory, inlineBelow: 0 }), { sweepInterval: null });
await store.set("k", "a value");
const stream = (await files(store).getStream("k"))?.stream;

const taken: number[] = [];
function takeAll(): void {
  for (;;) {
    try {
      taken.push(openSync("/dev/null", "r"));
    } catch {
      return;
    }
  }
}
const giveBack = (): void => {
  for (const descriptor of taken.splice(0)) closeSync(descriptor);
};
const answer = (value: Promise<unknown>): Promise<string> =>
  value.then(String, (error: unknown) =>
    KvError.is(error) ? `${error.code}: ${error.message}` : String(error),
  );

takeAll();
setTimeout(giveBack, 200);
console.log(await answer(store.get("k")));
await store.set("l", "another");
console.log(await answer(store.get("l")));
takeAll();
// The stream's own descriptor is closed for the read, and that one for the stream.
console.log(await answer(store.get("k")));
takeAll();
console.log(await answer(store.get("k")));
console.log(await answer(store.set("m", "refused")));
giveBack();
console.log(await answer(store.get("m")));
let text = "";
for await (const chunk of stream ?? []) text += String(chunk);
console.log(text);
await store.close();
