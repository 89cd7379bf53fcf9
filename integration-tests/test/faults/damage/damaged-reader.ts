import type { Findings } from "../../../workers/faults/read-damaged.ts";
import { type Child, startChild } from "../../processes/child.ts";

const HANGING_MS = 30_000;

/** Has damaged databases read by another process, and by the next one where that ends. */
export class DamagedReader {
  readonly #name: string;
  #child: Child | undefined;
  #answers = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** What its reads came to; a string: how the process ended. */
  async read(directory: string): Promise<Findings | string> {
    this.#child ??= this.#start();
    const child = this.#child;
    const expected = ++this.#answers;
    child.process.stdin.write(`${directory}\n`);
    let hanging = false;
    const timer = setTimeout(() => {
      hanging = true;
      child.process.kill("SIGKILL");
    }, HANGING_MS);
    try {
      await child.line(() => child.lines().length >= expected);
      return JSON.parse(child.lines()[expected - 1] ?? "") as Findings;
    } catch (error) {
      this.#child = undefined;
      const { code, signal } = await child.ended;
      const said = error instanceof Error ? error.message.slice(-500) : "";
      return hanging ? `no answer after ${HANGING_MS} ms` : `${signal ?? `exit ${code}`}: ${said.trim()}`;
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    this.#child?.process.stdin.end();
    await this.#child?.ended;
  }

  #start(): Child {
    this.#answers = 0;
    return startChild("faults/read-damaged", this.#name);
  }
}
