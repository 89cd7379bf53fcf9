/**
 * Who writes, and in which order: what lets watchers miss nothing without making writers wait for one another.
 *
 * Each statement that writes puts a document into the log of changes, in the same transaction, under its writer's name
 * and the number that the writer has counted to. A writer has one statement under way at a time, so that its numbers
 * become visible in their order: whoever has seen a writer's number 7 will see nothing of it below 8, however late
 * the other writers' statements are. A store has a few writers, its lanes, so that its statements need not queue.
 *
 * Watchers look at every writer that is registered, so a statement finds its writer's registration or does nothing. It
 * holds for an hour and is renewed on the way. Of a statement whose answer was lost nobody knows whether it is still under
 * way: its writer is given up, and watchers go on looking at it until its registration has run out.
 */
import { randomBytes } from "node:crypto";
import type { Namespace } from "@kv/core";
import { type Attempt, untilUndisturbed } from "./back-off.ts";
import { ArangoFailure, writeFailure } from "./errors.ts";
import { documentKey, ordered } from "./keys.ts";
import { type Layout, LEASE_MS, MAX_RUNTIME_S } from "./layout.ts";
import type { BindVars, Query } from "./query.ts";
import type { Server } from "./server.ts";
import { REGISTER } from "./write-queries.ts";

/** How many statements one store has under way at once. Watchers look at each of its writers. */
const LANES = 8;
/** How often a registration that somebody took away is made again for one write. */
const REGISTRATIONS = 5;

/** What a statement that writes returns: first the milliseconds that its writer's registration still holds. */
export type Written = readonly [left: number, ...unknown[]];

interface WriteLane {
  writer: string;
  /** Of the last statement that took effect. */
  number: number;
  /** By `performance.now()`; 0: it is not registered. */
  registeredUntil: number;
}

export interface WriteLanesOptions {
  readonly busyTimeout: number;
  /** Called after every statement that may have changed something. */
  readonly written: () => void;
}

export class WriteLanes {
  readonly #server: Server;
  readonly #layout: Layout;
  readonly #options: WriteLanesOptions;
  readonly #free: WriteLane[] = [];
  readonly #waiting: ((lane: WriteLane) => void)[] = [];
  #count = 0;
  /** The namespaces that are known to be on the list, by id. */
  readonly #listed = new Set<string>();

  constructor(server: Server, layout: Layout, options: WriteLanesOptions) {
    this.#server = server;
    this.#layout = layout;
    this.#options = options;
  }

  /**
   * Runs a statement until nobody comes between. `namespace`: the one it writes to; `undefined`: any that are listed.
   * @throws Refusal, ArangoFailure
   */
  async write<T extends Written>(
    statement: Query,
    namespace: Namespace | undefined,
    bindVars: BindVars,
  ): Promise<T> {
    try {
      return await untilUndisturbed(this.#options.busyTimeout, () =>
        this.#inLane((lane) => this.#attempt<T>(lane, statement, namespace, bindVars)),
      );
    } catch (error) {
      throw writeFailure(error);
    }
  }

  async #attempt<T extends Written>(
    lane: WriteLane,
    statement: Query,
    namespace: Namespace | undefined,
    bindVars: BindVars,
  ): Promise<Attempt<T>> {
    for (let attempt = 1; attempt <= REGISTRATIONS; attempt++) {
      await this.#register(lane, namespace);
      const began = performance.now();
      const [row] = await this.#run<T>(lane, statement, {
        ...bindVars,
        writer: lane.writer,
        number: lane.number + 1,
        ...(namespace === undefined ? {} : { space: spaceKey(namespace) }),
      });
      if (row !== undefined) {
        lane.number++;
        lane.registeredUntil = began + row[0];
        this.#options.written();
        return { done: row };
      }
      // Somebody has emptied the database, or its time has run out.
      lane.registeredUntil = 0;
      if (namespace !== undefined) this.#listed.delete(namespace.id);
    }
    return "again";
  }

  async #run<T>(lane: WriteLane, statement: Query, bindVars: BindVars): Promise<T[]> {
    try {
      return await this.#server.execute<T>(statement, bindVars, { maxRuntime: MAX_RUNTIME_S });
    } catch (error) {
      if (error instanceof ArangoFailure && error.outcome === "unknown") {
        Object.assign(lane, newLane());
        this.#options.written();
      }
      throw error;
    }
  }

  async #register(lane: WriteLane, namespace: Namespace | undefined): Promise<void> {
    const docs: object[] = [];
    if (lane.registeredUntil - performance.now() < LEASE_MS / 2) {
      docs.push({ _key: lane.writer, kind: "writer" });
    }
    if (namespace !== undefined && !this.#listed.has(namespace.id)) {
      const { id } = namespace;
      docs.push({ _key: spaceKey(namespace), kind: "namespace", n: ordered(id), id });
    }
    if (docs.length === 0) return;
    const began = performance.now();
    await this.#server
      .execute(REGISTER, { "@system": this.#layout.system, docs, lease: LEASE_MS })
      .catch((error: unknown) => {
        throw beforeTheWrite(error);
      });
    lane.registeredUntil = began + LEASE_MS;
    if (namespace !== undefined) this.#listed.add(namespace.id);
  }

  async #inLane<T>(run: (lane: WriteLane) => Promise<T>): Promise<T> {
    const lane = await this.#take();
    try {
      return await run(lane);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(lane);
      else next(lane);
    }
  }

  #take(): WriteLane | Promise<WriteLane> {
    // The one that was used last: the fewer there are, the less watchers have to look at.
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#count < LANES) {
      this.#count++;
      return newLane();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** Whatever became of a registration, the write itself was not sent. */
function beforeTheWrite(error: unknown): unknown {
  if (!(error instanceof ArangoFailure) || error.outcome !== "unknown") return error;
  return new ArangoFailure(error.message, "not sent", { code: error.code });
}

function newLane(): WriteLane {
  return { writer: `writer-${randomBytes(12).toString("base64url")}`, number: 0, registeredUntil: 0 };
}

/** The `_key` under which a namespace is listed. */
function spaceKey({ id }: Namespace): string {
  return `namespace-${documentKey("", id)}`;
}
