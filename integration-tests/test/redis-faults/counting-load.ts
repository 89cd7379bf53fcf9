import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "@kv/core";
import { verdictOf } from "../../linearizability/verdict.ts";

/** One counter, and the results that its incrementing clients received. */
export interface Counter {
  /** In a namespace of its own, and so, in a Cluster, in a slot of its own. */
  readonly namespace: string;
  /** When each increment was acknowledged, by `performance.now()`. */
  readonly acknowledged: number[];
  unknown: number;
  /** Refused as not applied, so that the client went on to try again. */
  refused: number;
}

/** What became of a counter. */
export interface Count {
  readonly acknowledged: number;
  readonly unknown: number;
  readonly refused: number;
  /** What the counter says in the end. */
  readonly value: number;
  /** Acknowledged, and not in the value: at least so many, since unknown ones may have taken their place. */
  readonly lost: number;
  /** In the value, and neither acknowledged nor unknown. */
  readonly wrong: number;
}

/** Clients, each of a store of its own, that increment counters without a pause. */
export class CountingLoad {
  readonly counters: readonly Counter[];
  readonly #stores: readonly Store[];
  readonly #running: Promise<unknown>;
  #stopped = false;

  constructor(stores: readonly Store[], namespaces: readonly string[]) {
    this.#stores = stores;
    this.counters = namespaces.map((namespace) => ({ namespace, acknowledged: [], unknown: 0, refused: 0 }));
    this.#running = Promise.all(
      stores.flatMap((store) => this.counters.map((counter) => this.#run(store, counter))),
    );
  }

  async #run(store: Store, counter: Counter): Promise<void> {
    const space = store.namespace(counter.namespace);
    while (!this.#stopped) {
      const verdict = await verdictOf(space.increment("counter"));
      if (verdict.is === "ok") counter.acknowledged.push(performance.now());
      else if (verdict.is === "unknown") counter.unknown++;
      else {
        counter.refused++;
        await sleep(5);
      }
    }
  }

  /** Resolves, to when that was, once a write beside the counter that began after now has been acknowledged. */
  async working(counter: Counter): Promise<number> {
    const until = performance.now() + 60_000;
    // Those that are on their way by now may still be acknowledged by a server that is about to go.
    const space = this.#stores[0]?.namespace(counter.namespace);
    for (;;) {
      const verdict = await verdictOf(space?.increment("probe") ?? Promise.resolve(0));
      if (verdict.is === "ok") return performance.now();
      if (performance.now() > until) throw verdict.error;
      await sleep(5);
    }
  }

  /** Resolves once so many increments of each counter were acknowledged from now on. */
  async acknowledging(more: number): Promise<void> {
    const goals = this.counters.map(({ acknowledged }) => acknowledged.length + more);
    const until = performance.now() + 60_000;
    while (this.counters.some(({ acknowledged }, i) => acknowledged.length < (goals[i] ?? 0))) {
      if (performance.now() > until) throw new Error("increments are no longer acknowledged");
      await sleep(5);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** After `stop`: what `witness` finds. */
  async counts(witness: Store): Promise<Count[]> {
    return Promise.all(
      this.counters.map(async ({ namespace, acknowledged: { length: acknowledged }, unknown, refused }) => {
        const value = await witness.namespace(namespace).get("counter", 0);
        return {
          acknowledged,
          unknown,
          refused,
          value: Number(value),
          lost: Math.max(0, acknowledged - Number(value)),
          wrong: Math.max(0, Number(value) - acknowledged - unknown),
        };
      }),
    );
  }
}

export function sumOf(counts: readonly Count[]): Count {
  const sum = (field: keyof Count): number => counts.reduce((total, count) => total + count[field], 0);
  return {
    acknowledged: sum("acknowledged"),
    unknown: sum("unknown"),
    refused: sum("refused"),
    value: sum("value"),
    lost: sum("lost"),
    wrong: sum("wrong"),
  };
}

export function countText({ acknowledged, unknown, refused, value, lost, wrong }: Count): string {
  const least = unknown === 0 ? "" : "at least ";
  return `${acknowledged} increments acknowledged, ${unknown} unknown, ${refused} refused; value ${value}: ${least}${lost} lost, ${wrong} wrong`;
}
