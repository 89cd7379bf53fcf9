import { join } from "node:path";
import { leveldb } from "@kv/leveldb";
import { memory } from "@kv/memory";
import { describeTiered } from "./tiered-suite.ts";

describeTiered("tiered through memory/sqlite", () => memory(), { write: "through", reopens: true });
// What a near tier of memory has acknowledged and not flushed goes with the process.
describeTiered("tiered behind memory/sqlite", () => memory(), { write: "behind", reopens: false });
describeTiered("tiered behind leveldb/sqlite", (directory) => leveldb({ path: join(directory, "near") }), {
  write: "behind",
  reopens: true,
});
