import { type Commit, type Namespace, Refusal, type SessionRevisions } from "@kv/core";
import type { Argument, Link } from "../connection/link.ts";
import { errorCode } from "../errors.ts";
import type { Script } from "../scripts/script.ts";
import type { Layout, Space } from "../stored/layout.ts";
import { Capacity } from "./capacity.ts";
import { Agreement } from "./layout-descriptor.ts";

/** A script's answer if its namespace is not listed yet. */
const UNLISTED = -1;

/** How many spaces with large entries are remembered; the next write to another one rediscovers it. */
const REMEMBERED = 4096;

/** Runs scripts that write, and holds what all of them share. */
export class Target {
  readonly link: Link;
  readonly layout: Layout;
  readonly revisions: SessionRevisions;
  readonly clock: () => number;
  readonly agreement: Agreement;
  readonly capacity: Capacity = new Capacity();
  readonly #large = new Set<string>();

  constructor(link: Link, layout: Layout, revisions: SessionRevisions, clock: () => number) {
    this.link = link;
    this.layout = layout;
    this.revisions = revisions;
    this.clock = clock;
    this.agreement = new Agreement(link, layout);
  }

  space(namespace: Namespace, partition: number): Space {
    const space = this.layout.spaces(namespace)[partition];
    if (space === undefined) throw new RangeError(`there is no partition ${partition}`);
    return space;
  }

  /** Whether the space is known to hold an entry that is too large to be read whole only for its head. */
  hasLarge(tag: string): boolean {
    return this.#large.has(tag);
  }

  noteLarge(tag: string): void {
    if (this.#large.size >= REMEMBERED) this.#large.clear();
    this.#large.add(tag);
  }

  /** The partition that holds all of a commit's keys, or the reason why the commit is refused. */
  partitionOf(commit: Commit): number | Refusal {
    const { layout } = this;
    const { checks, mutations } = commit;
    const tooLarge = this.capacity.refusal(commit);
    if (tooLarge !== undefined) return tooLarge;
    let partition: number | undefined;
    for (const { key } of [...checks, ...mutations]) {
      const own = layout.partitionOf(key);
      partition ??= own;
      if (own === partition) continue;
      return new Refusal(
        "KV_UNSUPPORTED",
        `the commit's keys are in several of the ${layout.partitions} partitions, and only a single partition is atomic; begin keys that belong together with the same text in braces, as in "{order:7}", or open the store with partitions: 1`,
        { key },
      );
    }
    return partition ?? 0;
  }

  /** Runs a script on entries of a space; `transit`: names of large values that it moves. */
  run(
    script: Script,
    space: Space,
    names: readonly string[],
    args: readonly Argument[],
    time = "",
    transit: readonly string[] = [],
  ): Promise<unknown> {
    const { keys, due, evict, seq, state, channel, keyOffset } = space;
    const count = String(5 + names.length + transit.length);
    const operands: Argument[] = ["", count, keys, due, evict, seq, state];
    for (const name of names) operands.push(name);
    for (const name of transit) operands.push(name);
    const listing = operands.length;
    operands.push("", channel, this.layout.ordered ? "1" : "0", keyOffset, time);
    for (const arg of args) operands.push(arg);
    return this.link.run(script, operands).then(
      (reply) => (reply === UNLISTED ? this.#listed(script, space, operands, listing) : reply),
      (error: unknown) => {
        if (errorCode(error) !== "KV_CORRUPT") throw error;
        return this.#misfit(space, names, error);
      },
    );
  }

  /** Looks for a value that another program has put under a name of this store. @throws Refusal that names it */
  async #misfit(space: Space, names: readonly string[], error: unknown): Promise<never> {
    const { keys, due, evict, seq, state, entries } = space;
    const sets = new Set([keys, due, evict]);
    for (const name of [...sets, seq, state, ...names]) {
      const type = String(await this.link.call("TYPE", [name]).catch(() => "none"));
      if (type === "none" || type === (sets.has(name) ? "zset" : "string")) continue;
      const key = sets.has(name) || !name.startsWith(entries) ? undefined : name.slice(entries.length);
      throw new Refusal(
        "KV_CORRUPT",
        `another program has put a ${type} under the name ${JSON.stringify(name)}, which belongs to this store; delete it, or use another prefix`,
        { cause: error, ...(key === undefined ? undefined : { key }) },
      );
    }
    throw error;
  }

  /** Lists the namespace and runs the script again. */
  async #listed(script: Script, space: Space, operands: Argument[], listing: number): Promise<unknown> {
    await this.agreement.list(space);
    operands[listing] = "1";
    const reply = await this.link.run(script, operands);
    // The write is applied now. List it again: another store that found it empty just before may have struck it off.
    await this.agreement.list(space).catch(() => undefined);
    return reply;
  }
}
