import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";

let holder: ChildProcess | undefined;

/** What is held here goes when this process does, however it ends. Returns how to let go of what is gone already. */
export function leash(kind: "process" | "directory" | "container", id: string | number): () => void {
  const { stdin } = hold();
  stdin?.write(`+ ${kind} ${id}\n`);
  return () => void stdin?.write(`- ${kind} ${id}\n`);
}

function hold(): ChildProcess {
  if (holder !== undefined) return holder;
  const script = fileURLToPath(new URL("leash.sh", import.meta.url));
  // In a session of its own, since Ctrl-C goes to all processes of a terminal's.
  holder = spawn("sh", [script], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  // Without it tests run as well, they only leave more behind when they are killed.
  holder.on("error", () => undefined);
  holder.stdin?.on("error", () => undefined);
  holder.unref();
  (holder.stdin as Socket | null)?.unref();
  return holder;
}
