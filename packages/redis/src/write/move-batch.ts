import type { CommitResult, Namespace, SetMutation } from "@kv/core";
import type { Argument } from "../connection/link.ts";
import { MOVE } from "../scripts/move-script.ts";
import { headOf, timeText } from "../stored/entry.ts";
import type { Space } from "../stored/layout.ts";
import type { Target } from "./script-target.ts";
import { entryText } from "./set-batch.ts";
import { Transit } from "./staged-values.ts";

/** The length of the metadata before the payload, without extras and `createdAt`. */
export const FIXED = 48;

/** Plain sets of different keys whose values are large. */
export class MoveBatch {
  readonly #target: Target;
  readonly #space: Space;
  readonly #time: string;
  readonly #transit: Transit;
  readonly #names: string[] = [];
  readonly #heads: string[] = [];
  readonly #results: CommitResult[] = [];

  constructor(target: Target, namespace: Namespace, partition: number, now: number) {
    this.#target = target;
    this.#space = target.space(namespace, partition);
    this.#time = timeText(now);
    this.#transit = new Transit(target.link, this.#space);
  }

  get size(): number {
    return this.#names.length;
  }

  add(set: SetMutation): void {
    const revision = this.#target.revisions.next();
    const head = headOf(set, this.#time, revision);
    this.#names.push(this.#space.entries + set.key);
    this.#heads.push(head.slice(0, FIXED));
    this.#transit.add(wholeEntry(this.#time, entryText(head, set.payload)), revision);
    this.#results.push({ status: "ok", outcomes: [{ revision }] });
  }

  async run(): Promise<CommitResult[]> {
    await this.#transit.before(() =>
      this.#target.run(MOVE, this.#space, this.#names, this.#heads, this.#time, this.#transit.names),
    );
    return this.#results;
  }
}

/** An entry with the `createdAt` of a new one, which the server replaces if the key already exists. */
export function wholeEntry(time: string, text: Argument): Argument {
  return typeof text === "string" ? time + text : Buffer.concat([Buffer.from(time), text]);
}
