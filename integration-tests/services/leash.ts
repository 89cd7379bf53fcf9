import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";

let holder: ChildProcess | undefined;

/** Removes a process, directory or container when this process ends in any way. Returns a function that cancels it. */
export function leash(kind: "process" | "directory" | "container", id: string | number): () => void {
  const { stdin } = hold();
  stdin?.write(`+ ${kind} ${id}\n`);
  return () => void stdin?.write(`- ${kind} ${id}\n`);
}

function hold(): ChildProcess {
  if (holder !== undefined) return holder;
  const script = fileURLToPath(new URL("leash.sh", import.meta.url));
  // In a separate session, because Ctrl-C goes to all processes of the terminal's session.
  holder = spawn("sh", [script], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  // Tests run without it as well, but leave more behind when they are killed.
  holder.on("error", () => undefined);
  holder.stdin?.on("error", () => undefined);
  holder.unref();
  (holder.stdin as Socket | null)?.unref();
  return holder;
}
