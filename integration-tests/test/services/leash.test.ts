import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";

const holder = new URL("../../workers/hold-on-leash.ts", import.meta.url);

test("what a test process started goes when it is killed, and what it let go of stays", async (context) => {
  context.skip(spawnSync("sh", ["-c", "exit"]).status !== 0, "needs a POSIX shell");
  const [doomed, kept] = [spawn("sleep", ["60"]), spawn("sleep", ["60"])];
  onTestFinished(() => void kept.kill("SIGKILL"));
  onTestFinished(() => void doomed.kill("SIGKILL"));
  const directory = mkdtempSync(join(tmpdir(), "kv leash-"));
  const child = spawn(process.execPath, [holder.pathname, `${doomed.pid}`, `${kept.pid}`, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  expect(doomed.signalCode).toBeNull();

  child.kill("SIGKILL");
  await once(doomed, "exit");
  expect(doomed.signalCode).toBe("SIGKILL");
  for (let attempt = 0; attempt < 100 && existsSync(directory); attempt++) await sleep(20);
  expect(existsSync(directory)).toBe(false);
  expect(kept.exitCode ?? kept.signalCode).toBeNull();
});
