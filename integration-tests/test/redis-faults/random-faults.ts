import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { FaultProxy } from "../../proxy/fault-proxy.ts";

/** Injects faults, one after the other, somewhere at random, until it is stopped. None of them loses data. */
export class RandomFaults {
  /** How many there were of each kind. */
  readonly injected = new Map<string, number>();
  readonly #proxies: readonly FaultProxy[];
  readonly #admin: Redis;
  readonly #random: () => number;
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(proxies: readonly FaultProxy[], admin: Redis, random: () => number) {
    this.#proxies = proxies;
    this.#admin = admin;
    this.#random = random;
    this.#running = this.#run();
  }

  /** Resolves once everything is whole again. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  toString(): string {
    return [...this.injected]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, count]) => `${count} ${kind}`)
      .join(", ");
  }

  async #run(): Promise<void> {
    const kinds = this.#kinds();
    const names = Object.keys(kinds);
    while (!this.#stopped) {
      const name = names[this.#below(names.length)] ?? "";
      const proxy = this.#proxies[this.#below(this.#proxies.length)];
      if (proxy === undefined) return;
      await kinds[name]?.(proxy);
      this.injected.set(name, (this.injected.get(name) ?? 0) + 1);
      await sleep(this.#below(25));
    }
  }

  #kinds(): Record<string, (proxy: FaultProxy) => Promise<unknown>> {
    const admin = this.#admin;
    const lasting = async (
      proxy: FaultProxy,
      milliseconds: number,
      begin: () => Promise<void>,
    ): Promise<void> => {
      await begin();
      await sleep(this.#below(milliseconds));
      await proxy.heal();
    };
    /** Ended for those that wait, too: a client's patience is what most of a round would be spent on. */
    const silent = async (proxy: FaultProxy, kind: "half-open" | "drop-answers"): Promise<void> => {
      await lasting(proxy, 60, () => proxy.set({ kind }));
      if (this.#below(3) > 0) proxy.reset();
    };
    return {
      latency: (proxy) =>
        lasting(proxy, 80, () => proxy.set({ kind: "latency", milliseconds: 1 + this.#below(20) })),
      reset: async (proxy) => proxy.reset(),
      refusal: (proxy) => lasting(proxy, 60, () => proxy.set({ kind: "refuse" })),
      "half-open": (proxy) => silent(proxy, "half-open"),
      "dropped answers": (proxy) => silent(proxy, "drop-answers"),
      "SCRIPT FLUSH": () => admin.script("FLUSH"),
      "CLIENT PAUSE": () => admin.client("PAUSE", 1 + this.#below(40), "WRITE"),
      "CLIENT KILL": () => admin.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"),
    };
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}
