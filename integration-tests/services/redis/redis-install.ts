import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Missing } from "../service.ts";

const run = promisify(execFile);

/** Installs Debian's redis-server (with redis-cli) where the tests may do so, and reports it; else returns why not. */
export async function installRedis(): Promise<Missing | undefined> {
  if (process.env["KV_TEST_INSTALL"] === "0")
    return { reason: "KV_TEST_INSTALL=0 keeps it from being installed" };
  if (process.getuid?.() !== 0) return { reason: "only root may install it" };
  console.log("Installing redis-server for the tests with apt-get (KV_TEST_INSTALL=0 prevents this)");
  try {
    await aptGet("update");
    await aptGet("install", "--yes", "--no-install-recommends", "redis-server");
    return undefined;
  } catch (error) {
    const { code, stderr = "" } = error as { code?: string | number; stderr?: string };
    if (code === "ENOENT") return { reason: "there is no apt-get to install it" };
    return { reason: `apt-get could not install it: ${stderr.trim().split("\n").at(-1) || String(error)}` };
  }
}

async function aptGet(...args: string[]): Promise<void> {
  const options = ["-qq", "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::http::Timeout=20"];
  for (let attempt = 1; ; attempt++) {
    try {
      await run("apt-get", [...options, ...args], {
        env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
        timeout: 180_000,
        maxBuffer: 64 * 1024 * 1024,
      });
      return;
    } catch (error) {
      // Another apt-get is running. No option makes apt-get wait for the lists of packages.
      const locked = /could not get lock/i.test((error as { stderr?: string }).stderr ?? "");
      if (!locked || attempt === 60) throw error;
      await sleep(1_000);
    }
  }
}
