/** Sends each change to its parent: `watch.ts <path>`; with `alone` it ends as soon as only the watch is left. */
import { namespaceOf } from "@kv/core";
import { sqlite } from "../../src/index.ts";

const [path = "", mode] = process.argv.slice(2);
const adapter = sqlite({ path, watchInterval: 5 });
await adapter.open();
await adapter.watch?.(namespaceOf([]), { start: "", end: undefined }, (changes) => {
  for (const change of changes) {
    if (change.type === "resync") process.send?.("resync");
    else
      process.send?.(
        "entry" in change
          ? `${change.type} ${change.key} ${change.entry.payload}`
          : `${change.type} ${change.key}`,
      );
  }
});
if (mode === "alone") process.disconnect();
else {
  // Neither the watch nor the channel to the parent would keep this process alive.
  setInterval(() => undefined, 1000);
  process.send?.("watching");
}
