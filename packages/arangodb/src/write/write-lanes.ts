/**
 * Writers and the order of their statements: watchers miss nothing, and writers do not wait for one another.
 *
 * Each statement that writes adds a document to the log of changes, in the same transaction, with its writer's name and the
 * writer's next number. A writer has one statement in progress at a time, so its numbers become visible in order: a watcher
 * that has seen a writer's number 7 will see only 8 and above from it, however late other writers' statements are. A store
 * has several writers, its lanes, so that its statements need not queue.
 *
 * Watchers read the notes of every registered writer (`registrations.ts`), so a statement does nothing unless it finds its
 * writer's registration. If a statement failed but may have taken effect, or may still do so, its writer is abandoned: its
 * number must not be used again, and its registration is ended, so that a statement that starts later does nothing.
 */
import { isPromise, monotonicNow, type Namespace, Refusal, timer } from "@kv/core";
import { type Attempt, Patience, type PatienceOptions, untilUndisturbed } from "../connection/back-off.ts";
import type { BindVars, Query } from "../connection/query.ts";
import type { Server } from "../connection/server.ts";
import { ArangoFailure, isMomentary, mayHaveTakenEffect, writeFailure } from "../errors.ts";
import { type Layout, MAX_RUNTIME_S } from "../stored/layout.ts";
import { Registrations, spaceKey } from "./registrations.ts";
import { newLane, type WriteLane } from "./write-lane.ts";

/** How many statements one store has in progress at once. Watchers have to check each of its writers. */
const LANES = 8;
/** How often a registration that another process removed is renewed for one write. */
const REGISTRATIONS = 5;
/** The most milliseconds that closing spends on ending registrations: they also run out by themselves. */
const CLOSING_MS = 1000;

/** The result of a statement that writes: first the server's time, and how long its writer's registration still holds. */
export type Written = readonly [now: number, left: number, ...unknown[]];

export interface WriteLanesOptions extends PatienceOptions {
  /** Called after every statement that may have changed data. */
  readonly written: () => void;
  /** Called with the server's time in an answer, and the milliseconds since its request was sent. */
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
   * Runs a statement until no other writer comes between. `namespace`: the one it writes to; `undefined`: any listed
   * namespaces.
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

  /** Ends this store's registrations, so that watchers need not check its writers until they run out. */
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
      // Watchers no longer check this name, so the lane goes on under another one.
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
    // The server aborts an abandoned statement soon afterwards, unless it is still in the server's queue.
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
    // Reuse the last lane first: with fewer lanes in use, watchers have fewer writers to check.
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

/** Whether a failed statement certainly had no effect and will have none, so that its number may be used again. */
function leavesNumberUnused(error: unknown): boolean {
  if (isMomentary(error)) return true;
  if (!(error instanceof ArangoFailure)) return error instanceof Refusal;
  if (error.outcome === "not sent") return true;
  return error.outcome === "refused" && (error.status ?? 0) < 500;
}

function notSent(): Refusal {
  return new Refusal(
    "KV_UNAVAILABLE",
    "the server does not answer earlier writes, so this one was not sent and changed nothing; try again",
    { retryable: true },
  );
}
