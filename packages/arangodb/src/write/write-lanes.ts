/**
 * Writers and the order of their statements: what lets watchers miss nothing without making writers wait for one another.
 *
 * Each statement that writes puts a document into the log of changes, in the same transaction, under its writer's name
 * and the number that the writer has counted to. A writer has one statement under way at a time, so that its numbers
 * become visible in their order: a watcher that has seen a writer's number 7 will see nothing of it below 8, however late
 * the other writers' statements are. A store has a few writers, its lanes, so that its statements need not queue.
 *
 * Watchers look at every writer that is registered (`registrations.ts`), so a statement finds its writer's registration or
 * does nothing. A writer whose statement may still take effect, or may have taken effect although it failed, is given up:
 * its number must not be used again, and its registration is ended, so that a statement that has not begun by then does
 * nothing.
 */
import { isPromise, monotonicNow, type Namespace, Refusal, timer } from "@kv/core";
import { type Attempt, Patience, type PatienceOptions, untilUndisturbed } from "../connection/back-off.ts";
import type { BindVars, Query } from "../connection/query.ts";
import type { Server } from "../connection/server.ts";
import { ArangoFailure, isMomentary, mayHaveTakenEffect, writeFailure } from "../errors.ts";
import { type Layout, MAX_RUNTIME_S } from "../stored/layout.ts";
import { Registrations, spaceKey } from "./registrations.ts";
import { newLane, type WriteLane } from "./write-lane.ts";

/** How many statements one store has under way at once. Watchers look at each of its writers. */
const LANES = 8;
/** How often a registration that was removed by others is made again for one write. */
const REGISTRATIONS = 5;
/** Milliseconds that closing takes for ending registrations at most: they run out by themselves. */
const CLOSING_MS = 1000;

/** What a statement that writes returns: first the time by which it ran, and how long its writer's registration still holds. */
export type Written = readonly [now: number, left: number, ...unknown[]];

export interface WriteLanesOptions extends PatienceOptions {
  /** Called after every statement that may have changed something. */
  readonly written: () => void;
  /** Called with the server's time in an answer, and how many milliseconds ago its request was made. */
  readonly observed: (now: number, took: number) => void;
}

export class WriteLanes {
  readonly #server: Server;
  readonly #options: WriteLanesOptions;
  readonly #registrations: Registrations;
  readonly #lanes: WriteLane[] = [];
  readonly #free: WriteLane[] = [];
  readonly #waiting: ((lane: WriteLane) => void)[] = [];

  constructor(server: Server, layout: Layout, options: WriteLanesOptions) {
    this.#server = server;
    this.#options = options;
    this.#registrations = new Registrations(server, layout);
  }

  /** The patience of a call that begins now. */
  patience(): Patience {
    return new Patience(this.#options);
  }

  /**
   * Runs a statement until no other writer comes between. `namespace`: the one it writes to; `undefined`: any that are
   * listed.
   * @throws Refusal, ArangoFailure
   */
  async write<T extends Written>(
    statement: Query,
    namespace: Namespace | undefined,
    bindVars: BindVars,
    patience: Patience = this.patience(),
  ): Promise<T> {
    try {
      return await untilUndisturbed(patience, () =>
        this.#inLane(patience, (lane) => this.#attempt<T>(lane, statement, namespace, bindVars, patience)),
      );
    } catch (error) {
      throw writeFailure(error, this.#server.isInCluster);
    }
  }

  /** Ends the registrations of this store, so that watchers need not look at them until they run out. */
  async close(): Promise<void> {
    const registered = this.#lanes.filter(({ registeredUntil }) => registeredUntil > 0);
    await this.#registrations.close(
      registered.map(({ writer }) => writer),
      CLOSING_MS,
    );
  }

  async #attempt<T extends Written>(
    lane: WriteLane,
    statement: Query,
    namespace: Namespace | undefined,
    bindVars: BindVars,
    patience: Patience,
  ): Promise<Attempt<T>> {
    for (let attempt = 1; attempt <= REGISTRATIONS; attempt++) {
      // Watchers no longer look at this name, so the lane goes on under another one.
      if (lane.registeredUntil > 0 && lane.registeredUntil <= monotonicNow()) Object.assign(lane, newLane());
      await this.#registrations.ensure(lane, namespace, patience.forRequest);
      const began = monotonicNow();
      const vars = {
        ...bindVars,
        writer: lane.writer,
        number: lane.number + 1,
        ...(namespace === undefined ? {} : { space: spaceKey(namespace) }),
      };
      const [row] = await this.#run<T>(lane, statement, vars, patience.forRequest);
      if (row !== undefined) {
        const [now, left] = row;
        lane.number++;
        lane.registeredUntil = began + left;
        this.#options.observed(now, monotonicNow() - began);
        this.#options.written();
        return { done: row };
      }
      // The database was emptied, or the registration has run out.
      lane.registeredUntil = 0;
      if (namespace !== undefined) this.#registrations.forget(namespace);
    }
    return "again";
  }

  async #run<T>(lane: WriteLane, statement: Query, bindVars: BindVars, timeout: number): Promise<T[]> {
    // What is given up here is given up there soon after, unless it waits in the server's queue.
    const maxRuntime = Math.min(MAX_RUNTIME_S, Math.ceil(timeout / 1000) + 1);
    try {
      return await this.#server.execute<T>(statement, bindVars, { maxRuntime, timeout });
    } catch (error) {
      if (!leavesNumberUnused(error)) {
        this.#registrations.end(lane.writer);
        Object.assign(lane, newLane());
        if (mayHaveTakenEffect(error)) this.#options.written();
      }
      throw error;
    }
  }

  async #inLane<T>(patience: Patience, run: (lane: WriteLane) => Promise<T>): Promise<T> {
    const taken = this.#take(patience);
    const lane = await taken;
    try {
      if (isPromise(taken) && patience.isSpent) throw notSent();
      return await run(lane);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(lane);
      else next(lane);
    }
  }

  #take(patience: Patience): WriteLane | Promise<WriteLane> {
    // The one that was used last: the fewer there are, the less watchers have to look at.
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#lanes.length < LANES) {
      const lane = newLane();
      this.#lanes.push(lane);
      return lane;
    }
    return new Promise((resolve, reject) => {
      const end = timer(
        () => {
          this.#waiting.splice(this.#waiting.indexOf(take), 1);
          reject(notSent());
        },
        Math.max(1, patience.left),
      );
      const take = (lane: WriteLane): void => {
        end.cancel();
        resolve(lane);
      };
      this.#waiting.push(take);
    });
  }
}

/** Whether a failed statement cannot have taken effect, and cannot do so any more: its number may be used again. */
function leavesNumberUnused(error: unknown): boolean {
  if (isMomentary(error)) return true;
  if (!(error instanceof ArangoFailure)) return error instanceof Refusal;
  if (error.outcome === "not sent") return true;
  return error.outcome === "refused" && (error.status ?? 0) < 500;
}

function notSent(): Refusal {
  return new Refusal(
    "KV_UNAVAILABLE",
    "the server does not answer the writes before this one, which was not sent and changed nothing",
    { retryable: true },
  );
}
