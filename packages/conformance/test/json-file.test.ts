import { copyFileSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeConformance } from "../src/index.ts";
import { jsonFile } from "./json-file-adapter.ts";

describeConformance({
  name: "json-file",
  // Views are the front's, and other adapters test them.
  views: process.env["KV_TEST_FULL"] === "1" ? "each" : "root",
  create() {
    const directory = mkdtempSync(join(tmpdir(), "kv-json-file-"));
    let now = 1_790_000_000_000;
    const path = join(directory, "store.json");
    const open = () => jsonFile({ path, clock: () => now });
    return {
      adapter: open(),
      reopen: open,
      backup() {
        copyFileSync(path, `${path}.backup`);
        return () => renameSync(`${path}.backup`, path);
      },
      clock: {
        advance(milliseconds) {
          now += milliseconds;
        },
      },
      dispose: () => rmSync(directory, { recursive: true }),
    };
  },
});
