import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { Answer, Request } from "./opener-process.ts";

const SCRIPT = fileURLToPath(new URL("opener-process.ts", import.meta.url));

/** Another process that opens stores as it is told. It ends with the test. */
export class Opener {
  readonly #child: ChildProcess;

  static async start(): Promise<Opener> {
    const child = fork(SCRIPT);
    onTestFinished(() => Opener.#end(child));
    await once(child, "message");
    return new Opener(child);
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async ask(what: Request["do"], path: string, key?: string): Promise<Answer> {
    const answered = once(this.#child, "message");
    const request: Request = { do: what, path, ...(key === undefined ? undefined : { key }) };
    this.#child.send(request);
    const [answer] = await answered;
    return answer;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  kill(): Promise<void> {
    return Opener.#end(this.#child);
  }

  static async #end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
}
