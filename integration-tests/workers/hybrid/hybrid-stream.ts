/** Streams many bytes into a hybrid store and out again, and reports the result and the most memory used. */
import { createHash } from "node:crypto";
import { createStore } from "@kv/core";
import { files, hybrid } from "@kv/hybrid";
import { sqlite } from "@kv/sqlite";

const [directory = "", size = "0", compress = ""] = process.argv.slice(2);
const store = createStore(
  hybrid({
    index: sqlite({ path: `${directory}/index.db` }),
    directory: `${directory}/files`,
    compress: compress === "gzip" ? "gzip" : false,
  }),
);
const written = createHash("sha256");

/** Bytes that do not repeat, at a pace that is not the disk's. */
function* content(): Generator<Uint8Array> {
  const chunk = Buffer.alloc(2 ** 16, "a stream of bytes, ");
  for (let at = 0; at < Number(size); at += chunk.length) {
    chunk.writeDoubleBE(at, ((at / 7) % 60_000) | 0);
    written.update(chunk);
    yield chunk;
  }
}

await files(store).setStream("film", content(), { contentType: "video/mp4" });
const read = createHash("sha256");
let bytes = 0;
const film = await files(store).getStream("film");
for await (const chunk of film?.stream ?? []) {
  read.update(chunk as Uint8Array);
  bytes += (chunk as Uint8Array).byteLength;
}
const { problems } = await files(store).verify();
await store.close();
const sent = written.digest("hex");
process.stdout.write(
  `${JSON.stringify({
    bytes,
    equal: sent === read.digest("hex") && sent === film?.metadata.etag,
    problems: problems.length,
    // In kilobytes.
    peakMemory: process.resourceUsage().maxRSS * 1024,
  })}\n`,
);
