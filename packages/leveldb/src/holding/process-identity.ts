import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { isError } from "@kv/core";

/**
 * Identifies the space in which a process number is valid: this boot of the machine, and this namespace of process numbers,
 * of which each container has its own. On systems that do not name these, the host's name.
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
 * When a process of this machine began, as text to compare, since process numbers are reused. `undefined`: it has ended;
 * `""`: it exists, and the system does not report its start.
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
    // It exists, and belongs to another user.
    return isError(error) && "code" in error && error.code === "EPERM";
  }
}

/** proc(5): the program's name, in parentheses, may hold any character; the state follows it, and the start 19 fields later. */
function linuxStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A killed process keeps its number until its parent has waited for it.
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return fields[19] ?? "";
  } catch {
    return "";
  }
}
