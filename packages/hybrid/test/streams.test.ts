import { createHash } from "node:crypto";
import { createReadStream, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { createStore } from "@kv/core";
import { memory } from "@kv/memory";
import { describe, expect, it, onTestFinished } from "vitest";
import { files, hybrid } from "../src/index.ts";
import {
  collected,
  filesIn,
  hybridIn,
  large,
  listed,
  refusal,
  scratchDirectory,
  storeIn,
} from "./scratch.ts";

const CONTENT = Buffer.from(Array.from({ length: 700_000 }, (_, i) => (i * 7919) >> 3));
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");

/** The content in chunks of odd sizes. */
function* chunks(): Generator<Uint8Array> {
  for (let at = 0, size = 1; at < CONTENT.length; at += size, size = (size * 3) % 100_003)
    yield CONTENT.subarray(at, at + size);
}

describe("streams", () => {
  for (const compress of [false, "gzip"] as const) {
    it(`go in and come out as they were, whole and in ranges (compress: ${compress})`, async () => {
      const directory = await scratchDirectory();
      const store = storeIn(directory, { compress });
      const { setStream, getStream } = files(store);
      const options = {
        contentType: "video/mp4",
        ttl: "1h",
        metadata: { by: "me" },
        policy: "evict",
      } as const;
      const revision = await setStream("film", Readable.from(chunks()), options);
      const film = await getStream("film");
      expect(Buffer.concat(await collected(film?.stream ?? [])).equals(CONTENT)).toBe(true);
      expect(film?.metadata).toMatchObject({
        ...{ revision, etag: SHA256, size: CONTENT.length, contentType: "video/mp4" },
        ...{ user: { by: "me" }, policy: "evict", expiresAt: expect.any(Date) },
      });
      expect(await store.getMetadata("film")).toMatchObject({ revision, size: CONTENT.length });
      expect(CONTENT.equals((await store.get("film")) as Uint8Array)).toBe(true);
      const length = CONTENT.length;
      for (const [start, end] of [
        [0, 10],
        [5, 6],
        [300_000, 600_001],
        [length - 3, length],
        [length - 3, length + 100],
        [length + 5, length + 9],
        [7, 7],
        [9, 2],
      ] as const) {
        const part = await getStream("film", { range: { start, end } });
        const expected = CONTENT.subarray(start, end);
        expect(
          Buffer.concat(await collected(part?.stream ?? [])).equals(expected),
          `${start} to ${end}`,
        ).toBe(true);
        expect((part?.end ?? 0) - (part?.start ?? 0)).toBe(expected.length);
      }
    });
  }

  it("read values that were set, whether they lie in a file or in the index", async () => {
    const store = storeIn(await scratchDirectory());
    await store.setMany([
      ["text", "ü"],
      ["bytes", new Uint8Array([1, 2, 3])],
      ["large", large(1)],
    ]);
    const read = async (key: string, range = {}) =>
      Buffer.concat(await collected((await files(store).getStream(key, { range }))?.stream ?? []));
    expect((await read("text")).toString()).toBe('"ü"');
    expect([...(await read("bytes", { start: 1 }))]).toEqual([2, 3]);
    expect(JSON.parse((await read("large")).toString())).toEqual(large(1));
    expect(await files(store).getStream("absent")).toBeUndefined();
    expect(await files(store).getMetadata("absent")).toBeUndefined();
  });

  it("belong to the view they were made from, take text, and may be empty", async () => {
    const store = storeIn(await scratchDirectory());
    const view = store.namespace("films").scope("2026");
    await files(view).setStream("a", ["one, ", "two"]);
    await files(view).setStream("empty", []);
    expect(await store.namespace("films").get("2026:a")).toEqual(new Uint8Array(Buffer.from("one, two")));
    expect(await view.get("empty")).toEqual(new Uint8Array());
    expect(await store.get("a")).toBeUndefined();
    expect((await refusal(files(view.readonly()).setStream("a", ["x"]))).code).toBe("KV_READ_ONLY");
  });

  it("take effect at their end: until then the old value is read", async () => {
    const store = storeIn(await scratchDirectory());
    await store.set("k", "old");
    let go = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const writing = files(store).setStream(
      "k",
      (async function* () {
        yield "new";
        await gate;
        yield "er";
      })(),
    );
    for (let i = 0; i < 20; i++) await turn();
    expect(await store.get("k")).toBe("old");
    // The file being written belongs to a live process.
    await files(store).collect({ grace: 0 });
    go();
    await writing;
    expect(Buffer.from((await store.get("k")) as Uint8Array).toString()).toBe("newer");
  });

  it("whose source fails, or that are aborted, write nothing and leave nothing behind", async () => {
    const directory = await scratchDirectory();
    const store = storeIn(directory);
    await store.set("k", "old");
    const failing = async function* (): AsyncGenerator<string> {
      yield "some";
      throw new Error("the camera fell");
    };
    const failed = await refusal(files(store).setStream("k", failing()));
    expect(failed).toMatchObject({ code: "KV_INVALID_VALUE", operation: "setStream", key: "k" });
    expect(failed.message).toContain("the camera fell");
    const abort = new AbortController();
    const endless = async function* (): AsyncGenerator<string> {
      for (let i = 0; ; i++) {
        if (i === 10) abort.abort();
        await turn();
        yield "x";
      }
    };
    const { signal } = abort;
    expect((await refusal(files(store).setStream("k", endless(), { signal }))).code).toBe("KV_ABORTED");
    expect(await store.get("k")).toBe("old");
    await expect.poll(() => listed(directory).filter((name) => name.startsWith(".kv/tmp"))).toEqual([]);
    expect(filesIn(directory)).toEqual([]);
  });

  it("free what a source holds that was refused, or is given up while it stalls", async () => {
    const store = storeIn(await scratchDirectory());
    const stalling = () => new Readable({ read: () => undefined });
    const refused = stalling();
    expect((await refusal(files(store).setStream("", refused))).code).toBe("KV_INVALID_KEY");
    expect(refused.destroyed).toBe(true);
    for (const kind of ["node", "web"]) {
      const node = stalling();
      let cancelled = false;
      const web = new ReadableStream<Uint8Array>({
        cancel() {
          cancelled = true;
        },
      });
      const abort = new AbortController();
      const source = kind === "node" ? node : web;
      const writing = refusal(files(store).setStream("k", source, { signal: abort.signal }));
      await files(store).setStream("other", ["so that it has begun"]);
      abort.abort();
      expect((await writing).code).toBe("KV_ABORTED");
      await expect.poll(() => (kind === "node" ? node.destroyed : cancelled)).toBe(true);
    }
  });

  it("whose source stalls keep no store from closing, and those that go on are waited for", async () => {
    const directory = await scratchDirectory();
    const open = () => createStore(hybridIn(directory), { timeout: "2s" });
    const store = open();
    let go = (): void => undefined;
    const gone = new Promise<void>((resolve) => {
      go = resolve;
    });
    async function* stalling(): AsyncGenerator<string> {
      yield "begun";
      await new Promise(() => undefined);
    }
    async function* slow(): AsyncGenerator<string> {
      yield "begun";
      await gone;
      yield ", and ended";
    }
    const stalled = files(store).setStream("stalled", stalling());
    const refused = expect(stalled).rejects.toMatchObject({ code: "KV_CLOSED", operation: "setStream" });
    const written = files(store).setStream("slow", slow());
    await files(store).setStream("first", ["so that both have begun"]);
    const closed = store.close();
    go();
    await written;
    await refused;
    await closed;
    await using again = open();
    expect(Buffer.from((await again.get("slow")) as Uint8Array).toString()).toBe("begun, and ended");
    expect(await again.has("stalled")).toBe(false);
  });

  it("of small values are copies: who changes a chunk changes nothing in the store", async () => {
    const store = createStore(hybrid({ index: memory(), directory: await scratchDirectory() }));
    onTestFinished(() => store.close());
    await store.set("k", new Uint8Array([1, 2, 3]));
    const found = await files(store).getStream("k");
    for await (const chunk of found?.stream ?? []) (chunk as Uint8Array).fill(9);
    expect(await store.get("k")).toEqual(new Uint8Array([1, 2, 3]));
  });

  it("whose file is missing end neither the process nor the old value", async () => {
    const store = storeIn(await scratchDirectory());
    // Nothing is open yet, so that the source has failed long before it is read.
    const error = await refusal(files(store).setStream("k", createReadStream("/no/such/film.mp4")));
    expect(error).toMatchObject({ code: "KV_INVALID_VALUE", key: "k" });
    expect(error.message).toContain("ENOENT");
    expect(await store.has("k")).toBe(false);
  });

  it("evade no schema", async () => {
    const store = storeIn(await scratchDirectory());
    const schema = {
      "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value: String(value) }) },
    } as const;
    const error = await refusal(files(store.typed(schema)).setStream("k", ["x"]));
    expect(error.code).toBe("KV_UNSUPPORTED");
  });

  it("that are no streams, and options that are none, are refused before anything is read", async () => {
    const store = storeIn(await scratchDirectory());
    const { setStream, getStream, collect } = files(store);
    const unread = function* (): Generator<string> {
      yield expect.unreachable("it was read");
    };
    for (const write of [
      () => setStream("k", 5 as never),
      () => setStream("k", unread(), { contentType: 5 as never }),
      () => setStream("k", unread(), { tll: 5 } as never),
      () => getStream("k", { range: { start: -1 } }),
      () => getStream("k", { range: { from: 1 } as never }),
      () => getStream("k", { rnage: {} } as never),
      () => collect({ grace: -1 }),
    ])
      expect((await refusal(write())).code).toBe("KV_INVALID_OPTION");
    expect((await refusal(setStream("k", [5 as never]))).code).toBe("KV_INVALID_VALUE");
    expect((await refusal(setStream("k", ["\ud83d"]))).code).toBe("KV_INVALID_VALUE");
    expect((await refusal(setStream("", ["x"]))).code).toBe("KV_INVALID_KEY");
    expect((await refusal(setStream("k", ["x"], { ttl: 0 }))).code).toBe("KV_INVALID_TTL");
  });

  it("go on when their file is replaced and collected, and end when they are aborted", async () => {
    const directory = await scratchDirectory();
    const store = storeIn(directory);
    await files(store).setStream("k", chunks());
    const film = await files(store).getStream("k");
    await store.set("k", "new");
    await files(store).collect({ grace: 0 });
    expect(filesIn(directory)).toEqual([]);
    expect(Buffer.concat(await collected(film?.stream ?? [])).equals(CONTENT)).toBe(true);
    await files(store).setStream("k", chunks());
    const abort = new AbortController();
    const cut = await files(store).getStream("k", { signal: abort.signal });
    abort.abort();
    expect((await refusal(collected(cut?.stream ?? []))).code).toBe("KV_ABORTED");
  });

  it("keep their extension and can be checked with sha256sum", async () => {
    const directory = await scratchDirectory();
    const store = storeIn(directory, { durability: "full" });
    await files(store).setStream("k", chunks());
    const metadata = await files(store).getMetadata("k");
    const file = readFileSync(join(directory, "files", metadata?.file ?? ""));
    expect(createHash("sha256").update(file).digest("hex")).toBe(metadata?.etag);
    rmSync(join(directory, "files", metadata?.file ?? ""));
    expect((await refusal(files(store).getStream("k"))).code).toBe("KV_CORRUPT");
  });
});

describe("a source with nothing left to give", () => {
  it.each<[string, () => Promise<unknown>]>([
    [
      "a stream of Node that was read",
      async () => {
        const source = Readable.from(["all", " of it"]);
        await source.toArray();
        return source;
      },
    ],
    [
      "a web stream that was read",
      async () => {
        const source = new Blob(["all of it"]).stream();
        for await (const _ of source);
        return source;
      },
    ],
    [
      "a web stream that is locked",
      async () => {
        const source = new Blob(["all of it"]).stream();
        source.getReader();
        return source;
      },
    ],
  ])("%s is refused, and nothing is written", async (_, make) => {
    const store = storeIn(await scratchDirectory());
    const failed = await refusal(files(store).setStream("k", (await make()) as Readable));
    expect(failed).toMatchObject({ code: "KV_INVALID_VALUE", operation: "setStream", key: "k" });
    expect(failed.message).toMatch(/read before|locked to another reader/);
    expect(await store.has("k")).toBe(false);
  });

  it("a stream of which something was read gives the rest, and an empty one is empty", async () => {
    const store = storeIn(await scratchDirectory());
    const begun = Readable.from([Buffer.from("head,"), Buffer.from("rest")], { objectMode: false });
    await new Promise((resolve) => begun.once("readable", resolve));
    expect(String(begun.read(5))).toBe("head,");
    await files(store).setStream("rest", begun);
    expect(Buffer.from((await store.get("rest")) as Uint8Array).toString()).toBe("rest");
    await files(store).setStream("empty", Readable.from([]));
    expect(await store.get("empty")).toEqual(new Uint8Array());
  });
});
