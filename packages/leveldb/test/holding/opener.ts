import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { Answer, Message, Request } from "./opener-process.ts";

const SCRIPT = fileURLToPath(new URL("./opener-process.ts", import.meta.url));

/** Another process that opens stores on request. */
export class Opener {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  /** Keys that a burst wrote, as far as it could report them. */
  readonly acknowledged: string[] = [];
  #requests = 0;

  /** @param until registers the function that ends it; by default it ends with the test */
  static async start(until: (stop: () => Promise<void>) => void = onTestFinished): Promise<Opener> {
    const child = fork(SCRIPT);
    until(() => end(child));
    const opener = new Opener(child);
    await new Promise<Answer>((resolve) => opener.#waiting.set(0, resolve));
    return opener;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (message: Message) => {
      if ("acknowledged" in message) this.acknowledged.push(message.acknowledged);
      else this.#waiting.get(message.id)?.(message.answer);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  ask(what: Request["do"], path: string, key?: string): Promise<Answer> {
    const id = ++this.#requests;
    const request: Request = { id, do: what, path, ...(key === undefined ? undefined : { key }) };
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.send(request);
    });
  }

  /** Resolves when the process has ended. */
  async ended(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  kill(): Promise<void> {
    return end(this.#child);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
