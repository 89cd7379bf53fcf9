import { createStore, forward, namespaceOf, timeout } from "@kv/core";
import { memory } from "@kv/memory";
import { describe, expect, it } from "vitest";
import { collected } from "./collected.ts";
import { controlled } from "./controlled.ts";

const root = namespaceOf([]);
const everything = { start: "", end: undefined, reverse: false, limit: 100, keysOnly: false };

describe("timeout", () => {
  it("gives up on every call that is not answered, and answers again afterwards", async () => {
    const backend = controlled(memory());
    const store = createStore(backend.adapter, { middleware: [timeout({ after: "20ms" })], timeout: null });
    await store.set("k", 1);
    backend.silent = true;
    for (const read of [
      () => store.get("k"),
      () => store.count(),
      () => store.stats(),
      () => collected(store.keys()),
    ]) {
      await expect(read(), String(read)).rejects.toMatchObject({ code: "KV_TIMEOUT", retryable: true });
    }
    for (const write of [() => store.set("k", 2), () => store.clear()]) {
      await expect(write(), String(write)).rejects.toMatchObject({ code: "KV_TIMEOUT", retryable: false });
    }
    backend.silent = false;
    expect(await store.get("k")).toBe(1);
    await store.close();
  });

  it("leaves what is answered at once as it is", () => {
    const adapter = timeout({ after: 1 })(memory());
    expect(adapter.open()).toBeUndefined();
    expect(adapter.read(root, ["k"])).toEqual([undefined]);
    expect(Symbol.iterator in adapter.scan(root, everything)).toBe(true);
  });

  it("lets a scan be left while its page is awaited for ever", async () => {
    const adapter = timeout({ after: "10ms" })(
      forward(memory(), {
        async *scan() {
          await new Promise(() => undefined);
          yield [];
        },
      }),
    );
    const pages = adapter.scan(root, everything);
    if (!(Symbol.asyncIterator in pages)) throw new TypeError("the pages come late");
    const iterator = pages[Symbol.asyncIterator]();
    await expect(iterator.next()).rejects.toMatchObject({ code: "KV_TIMEOUT" });
    expect(await iterator.return?.()).toMatchObject({ done: true });
  });

  it("closes what opens too late, unless somebody asked again meanwhile", async () => {
    let open: () => void = () => undefined;
    const calls: string[] = [];
    const adapter = timeout({ after: "10ms" })(
      forward(memory(), {
        open() {
          calls.push("open");
          return new Promise<void>((resolve) => {
            open = resolve;
          });
        },
        close() {
          calls.push("close");
        },
      }),
    );
    await expect(adapter.open()).rejects.toMatchObject({ code: "KV_TIMEOUT" });
    open();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(calls).toEqual(["open", "close"]);
    await expect(adapter.open()).rejects.toMatchObject({ code: "KV_TIMEOUT" });
    const second = adapter.open();
    open();
    await second;
    expect(calls).toEqual(["open", "close", "open"]);
  });

  it("ends a watch that begins too late", async () => {
    let ended = 0;
    let begin: () => void = () => undefined;
    const adapter = timeout({ after: "10ms" })(
      forward(memory(), {
        watch: () =>
          new Promise((resolve) => {
            begin = () => resolve(() => ended++);
          }),
      }),
    );
    await expect(adapter.watch?.(root, everything, () => undefined)).rejects.toMatchObject({
      code: "KV_TIMEOUT",
    });
    begin();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(ended).toBe(1);
  });
});
