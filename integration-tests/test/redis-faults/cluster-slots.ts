import { Redis } from "ioredis";
import type { RedisProcess } from "../../services/redis/redis-process.ts";

interface Master {
  readonly id: string;
  readonly process: RedisProcess;
  readonly client: Redis;
}

/** Where the slots of a Cluster are; and moves them, key by key, as `redis-cli --cluster reshard` does. */
export class ClusterSlots implements Disposable {
  /** How many slots were moved, and how many names of the database with them. */
  moved = 0;
  names = 0;
  readonly #masters: readonly Master[];

  static async of(processes: readonly RedisProcess[]): Promise<ClusterSlots> {
    const masters: Master[] = [];
    for (const process of processes) {
      const client = new Redis(process.url);
      client.on("error", () => undefined);
      const [role] = (await client.role()) as unknown[];
      if (role === "master") masters.push({ id: String(await client.cluster("MYID")), process, client });
      else client.disconnect();
    }
    return new ClusterSlots(masters);
  }

  private constructor(masters: readonly Master[]) {
    this.#masters = masters;
  }

  [Symbol.dispose](): void {
    for (const { client } of this.#masters) client.disconnect();
  }

  /** The slot that the names which match a pattern are in. */
  async slotOf(pattern: string): Promise<number> {
    for (const { client } of this.#masters) {
      const [name] = await client.keys(pattern);
      if (name !== undefined) return Number(await client.cluster("KEYSLOT", name));
    }
    throw new Error(`nothing is called ${pattern}`);
  }

  /** The process that holds a slot. */
  async holderOf(slot: number): Promise<RedisProcess> {
    const { process } = await this.#holder(slot);
    return process;
  }

  /** To the next master, with all its keys. */
  async move(slot: number): Promise<void> {
    const from = await this.#holder(slot);
    const to = this.#masters[(this.#masters.indexOf(from) + 1) % this.#masters.length] as Master;
    await to.client.cluster("SETSLOT", slot, "IMPORTING", from.id);
    await from.client.cluster("SETSLOT", slot, "MIGRATING", to.id);
    for (;;) {
      // One at a time: so the slot is in two halves for as long as can be.
      const [key] = (await from.client.cluster("GETKEYSINSLOT", slot, 1)) as string[];
      if (key === undefined) break;
      await from.client.migrate(to.process.host, to.process.port, key, 0, 5_000);
      this.names++;
    }
    await to.client.cluster("SETSLOT", slot, "NODE", to.id);
    await from.client.cluster("SETSLOT", slot, "NODE", to.id);
    for (const { client } of this.#masters) await client.cluster("SETSLOT", slot, "NODE", to.id);
    this.moved++;
  }

  async #holder(slot: number): Promise<Master> {
    const ranges = (await this.#masters[0]?.client.cluster("SLOTS")) ?? [];
    const nodes = ranges.find(([first, last]) => first <= slot && slot <= last)?.slice(2) as
      | [host: string, port: number][]
      | undefined;
    const port = nodes?.[0]?.[1];
    const holder = this.#masters.find(({ process }) => process.port === port);
    if (holder === undefined) throw new Error(`no master holds slot ${slot}`);
    return holder;
  }
}
