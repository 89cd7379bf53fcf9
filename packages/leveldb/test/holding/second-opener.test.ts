import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { createStore, type Store } from "@kv/core";
import { ClassicLevel } from "classic-level";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { LOOK_INTERVAL_MS } from "../../src/connection/custody.ts";
import { processSpace, startOf } from "../../src/holding/process-identity.ts";
import { type LeveldbOptions, leveldb } from "../../src/index.ts";
import { refusalOf, scratchPath } from "../scratch.ts";
import { Opener } from "./opener.ts";

const HELD = { code: "KV_UNAVAILABLE", message: expect.stringContaining("is held by") };

/** A store that has written, and is closed with the test. */
async function holding(options: LeveldbOptions): Promise<Store> {
  const store = createStore(leveldb(options));
  onTestFinished(() => store.close());
  await store.set("mine", 1);
  return store;
}

/** A process that has nothing open between two requests. */
let opener: Opener;
beforeAll(async () => {
  opener = await Opener.start(afterAll);
});

async function expectRefused(path: string): Promise<void> {
  const answer = await opener.ask("try", path, "theirs");
  expect(answer).toEqual(HELD);
  expect(answer.message).toContain(`process ${process.pid} on`);
}

describe("a second opener is refused", () => {
  test("by a link to the directory, and by one in the middle of the path", async () => {
    const path = await scratchPath("releases/1/data");
    await holding({ path });
    const root = dirname(dirname(dirname(path)));
    symlinkSync(path, join(root, "current"));
    symlinkSync("1", join(root, "releases", "latest"));
    const ways = [
      join(root, "current"),
      join(root, "releases/latest/data"),
      join(root, "releases/./2/../1/data"),
    ];
    mkdirSync(join(root, "releases/2"));
    for (const way of ways) {
      expect(await refusalOf({ path: way })).toMatchObject({
        code: "KV_UNAVAILABLE",
        message: expect.stringMatching(/another store of this process/),
      });
    }
    for (const way of ways) expect(await opener.ask("try", way)).toEqual(HELD);
  });

  test("through hard links to its files", async () => {
    const path = await scratchPath();
    await holding({ path });
    mkdirSync(`${path}-linked`);
    for (const file of readdirSync(path)) linkSync(join(path, file), join(`${path}-linked`, file));
    rmSync(join(`${path}-linked`, "kv-holder.json"));
    expect(await refusalOf({ path: `${path}-linked` })).toMatchObject({ code: "KV_UNAVAILABLE" });
    expect(await opener.ask("try", `${path}-linked`)).toEqual(HELD);
  });

  test("of another process, however often one of this process was", async () => {
    const path = await scratchPath();
    await holding({ path });
    for (let i = 0; i < 5; i++) await refusalOf({ path });
    await expectRefused(path);
  });

  test("after the directory was copied by this process; the copy can be opened", async () => {
    const path = await scratchPath();
    await holding({ path });
    cpSync(path, `${path}-copy`, { recursive: true });
    await expectRefused(path);
    expect(await opener.ask("try", `${path}-copy`)).toEqual({});
  });

  test("after the file that names the holder was deleted or altered, which is written anew", async () => {
    const path = await scratchPath();
    const store = await holding({ path });
    const file = join(path, "kv-holder.json");
    for (const alter of [() => unlinkSync(file), () => writeFileSync(file, "{}")]) {
      alter();
      await expectRefused(path);
      await sleep(LOOK_INTERVAL_MS);
      await store.set("more", 1);
      expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ pid: process.pid });
    }
    // Now it is the file that keeps others out.
    cpSync(path, `${path}-copy`, { recursive: true });
    await expectRefused(path);
  });

  test("after LOCK was deleted; and the holder says so, and acknowledges nothing more", async () => {
    const path = await scratchPath();
    const store = createStore(leveldb({ path }));
    await store.set("mine", 1);
    unlinkSync(join(path, "LOCK"));
    await expectRefused(path);
    expect(existsSync(join(path, "LOCK"))).toBe(false);
    await sleep(LOOK_INTERVAL_MS);
    const told = {
      code: "KV_UNAVAILABLE",
      message: expect.stringMatching(/LOCK was moved or deleted .* another process/),
    };
    await expect(store.set("more", 1)).rejects.toMatchObject(told);
    await expect(store.close()).rejects.toMatchObject(told);
    const again = await holding({ path });
    expect(await again.get("mine")).toBe(1);
  });

  test("while the holder is stopped, and let in at once when it is killed", async () => {
    const path = await scratchPath();
    const holder = await Opener.start();
    await holder.ask("open", path, "theirs");
    await holder.ask("copy", path);
    holder.signal("SIGSTOP");
    expect(await refusalOf({ path })).toMatchObject({
      code: "KV_UNAVAILABLE",
      message: expect.stringContaining(`process ${holder.pid} on`),
    });
    await holder.kill();
    const store = createStore(leveldb({ path }));
    expect(await store.get("theirs")).toBe(1);
    await store.close();
  });

  test("while a thread has it, and let in when that was terminated, although the process lives", async () => {
    const path = await scratchPath();
    const worker = new Worker(fileURLToPath(new URL("./opener-worker.ts", import.meta.url)), {
      workerData: path,
    });
    onTestFinished(async () => void (await worker.terminate()));
    await once(worker, "message");
    for (let i = 0; i < 2; i++) {
      expect(await refusalOf({ path })).toMatchObject({
        code: "KV_UNAVAILABLE",
        message: expect.stringMatching(/another store of this process/),
      });
    }
    expect(await opener.ask("try", path)).toEqual(HELD);
    await worker.terminate();
    expect(existsSync(join(path, "kv-holder.json"))).toBe(true);
    expect(await opener.ask("try", path)).toEqual({});
    const store = createStore(leveldb({ path }));
    expect(await store.get("written")).toBe("by the thread");
    await store.close();
  });

  test("by two threads that open it at once, but for one", async () => {
    const path = await scratchPath();
    const threads = [1, 2, 3].map(() => {
      const worker = new Worker(fileURLToPath(new URL("./opener-worker.ts", import.meta.url)), {
        workerData: path,
      });
      onTestFinished(async () => void (await worker.terminate()));
      return once(worker, "message").then(
        () => "open",
        // An error thrown by a thread arrives as a copy without its class.
        (error: Error & { code?: unknown }) => error.code,
      );
    });
    expect((await Promise.all(threads)).sort()).toEqual(["KV_UNAVAILABLE", "KV_UNAVAILABLE", "open"]);
    await expectRefused(path);
  });

  test("of another copy of this package in the same process", async () => {
    const path = await scratchPath();
    await holding({ path });
    vi.resetModules();
    const { leveldb: again } = await import("../../src/index.ts");
    expect(again).not.toBe(leveldb);
    await expect(again({ path }).open()).rejects.toMatchObject({ code: "KV_UNAVAILABLE" });
    await expectRefused(path);
  });

  test("where the caller has a database of level open there, whose lock stays", async () => {
    const path = await scratchPath();
    const database = new ClassicLevel(path);
    onTestFinished(() => database.close());
    await database.open();
    expect(await refusalOf({ path })).toMatchObject({ code: "KV_UNAVAILABLE" });
    await expectRefused(path);
    await holding({ database });
    expect(await refusalOf({ path })).toMatchObject({ code: "KV_UNAVAILABLE" });
    await expectRefused(path);
    // Which frees the driver's lock.
    cpSync(path, `${path}-copy`, { recursive: true });
    await expectRefused(path);
  });
});

describe("a file that names a holder does not keep anyone out", () => {
  async function leftBehind(note: object): Promise<string> {
    const path = await scratchPath();
    const store = createStore(leveldb({ path }));
    await store.set("k", 1);
    await store.close();
    writeFileSync(join(path, "kv-holder.json"), JSON.stringify(note));
    writeFileSync(join(path, "kv-holder.json.0.tmp"), "{");
    return path;
  }

  const here = { host: "here", since: "2026-01-01T00:00:00.000Z", space: processSpace() };

  test.each([
    ["of a process that is gone", { ...here, pid: 2 ** 22 + 1, started: "1" }],
    ["whose number another process has now", { ...here, pid: process.ppid, started: startOf(process.ppid) }],
    ["whose number this process has now", { ...here, pid: process.pid, started: startOf(process.pid) }],
    ["of another machine", { ...here, pid: process.ppid, space: "another" }],
    ["of an earlier version", { host: "here", since: here.since, pid: process.ppid }],
    ["of nonsense", { pid: "1" }],
  ])("%s", async (_, note) => {
    const path = await leftBehind(note);
    const store = createStore(leveldb({ path }));
    expect(await store.get("k")).toBe(1);
    expect(JSON.parse(readFileSync(join(path, "kv-holder.json"), "utf8")).pid).toBe(process.pid);
    await store.close();
    expect(readdirSync(path).filter((file) => file.startsWith("kv-holder"))).toEqual([]);
  });

  test("of a process that was killed, and whose parent has not heard of it yet", async (context) => {
    if (process.platform !== "linux") context.skip("needs /proc");
    const path = await scratchPath();
    const script = fileURLToPath(new URL("./holding-process.ts", import.meta.url));
    // The shell becomes a program that does not wait for its child.
    const parent = spawn("sh", ["-c", '"$0" "$1" "$2" & exec sleep 60', process.execPath, script, path]);
    onTestFinished(async () => {
      parent.kill("SIGKILL");
      await once(parent, "exit");
    });
    const file = join(path, "kv-holder.json");
    await vi.waitFor(() => expect(existsSync(file) && existsSync(join(path, "CURRENT"))).toBe(true), 10_000);
    const { pid } = JSON.parse(readFileSync(file, "utf8"));
    expect(await refusalOf({ path })).toMatchObject({ code: "KV_UNAVAILABLE" });
    process.kill(pid, "SIGKILL");
    await vi.waitFor(() => expect(readFileSync(`/proc/${pid}/stat`, "utf8")).toMatch(/\) Z /), 10_000);
    const store = createStore(leveldb({ path }));
    await store.set("k", 1);
    await store.close();
  });
});
