import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { isError } from "@kv/core";

/**
 * Where a process number means what it means here: this boot of the machine and this namespace of process numbers, which
 * a container has for itself. On systems that do not name these, the host's name.
 */
export function processSpace(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}

/**
 * When a process of this machine began, as text to compare: numbers of processes come again. `undefined`: it has ended;
 * `""`: it is there, and the system does not say more.
 */
export function startOf(pid: number): string | undefined {
  if (!exists(pid)) return undefined;
  if (process.platform === "linux") return linuxStart(pid);
  if (process.platform === "win32") return "";
  try {
    const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
    const shown = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
      env,
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 5000,
    });
    return shown.trim();
  } catch {
    return "";
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, and belongs to another user.
    return isError(error) && "code" in error && error.code === "EPERM";
  }
}

/** proc(5): the name of the program, in parentheses, may hold anything; the state is behind it, the start 19 fields later. */
function linuxStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A process that was killed, and that its parent has not asked about yet, still has its number.
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return fields[19] ?? "";
  } catch {
    return "";
  }
}
