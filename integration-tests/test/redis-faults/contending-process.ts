import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Ground, Part } from "../../linearizability/contender.ts";

const WORKER = fileURLToPath(new URL("../../workers/contend.ts", import.meta.url));

/** Clients in a process of their own. */
export class ContendingProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<never>;

  static async start(
    seed: number,
    first: number,
    prefix: string,
    ports: readonly number[],
  ): Promise<ContendingProcess> {
    const args = [seed, first, prefix, ...ports].map(String);
    const child = fork(WORKER, args, {
      execArgv: ["--disable-warning=ExperimentalWarning"],
      serialization: "advanced",
    });
    const started = new ContendingProcess(child);
    await started.#message();
    return started;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, "exit").then(([code, signal]) => {
      throw new Error(`the clients' process ended with ${signal ?? code}`);
    });
    this.#ended.catch(() => undefined);
  }

  /** What the clients saw in a round. */
  async round(ground: Ground): Promise<Part[]> {
    this.#child.send(ground);
    return (await this.#message()) as Part[];
  }

  async #message(): Promise<unknown> {
    const [message] = await Promise.race([once(this.#child, "message"), this.#ended]);
    return message;
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}
