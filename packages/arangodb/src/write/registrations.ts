import { inTime, monotonicNow, type Namespace } from "@kv/core";
import type { Server } from "../connection/server.ts";
import { ArangoFailure, ERROR, isNumbered, mayHaveTakenEffect } from "../errors.ts";
import { REGISTER } from "../keyspace/upkeep-queries.ts";
import { documentKey, ordered } from "../stored/keys.ts";
import { type Layout, LEASE_MS } from "../stored/layout.ts";
import type { WriteLane } from "./write-lane.ts";

/**
 * The lists of a store's writers and of namespaces in the database.
 *
 * A writer's registration holds for a limited time, and is renewed by later writes. It is ended as soon as the writer will not
 * write again: a statement looks it up in its own snapshot, so a statement that begins later does nothing.
 */
export class Registrations {
  readonly #server: Server;
  readonly #layout: Layout;
  /** The namespaces that are known to be on the list, by id. */
  readonly #listed = new Set<string>();
  /** Abandoned writers whose registration has not been ended on the server yet. */
  readonly #ended = new Set<string>();

  constructor(server: Server, layout: Layout) {
    this.#server = server;
    this.#layout = layout;
  }

  /** Registers the writer and the namespace before a write, after the server has ended the registrations of abandoned writers. */
  async ensure(lane: WriteLane, namespace: Namespace | undefined, timeout: number): Promise<void> {
    const docs: object[] = [];
    const renews = lane.registeredUntil - monotonicNow() < LEASE_MS / 2;
    if (renews) docs.push({ _key: lane.writer, kind: "writer" });
    if (namespace !== undefined && !this.#listed.has(namespace.id)) {
      const { id } = namespace;
      docs.push({ _key: spaceKey(namespace), kind: "namespace", n: ordered(id), id });
    }
    if (docs.length === 0 && this.#ended.size === 0) return;
    const began = monotonicNow();
    await this.#put(docs, [...this.#ended], timeout).catch((error: unknown) => {
      throw beforeTheWrite(error);
    });
    if (renews) lane.registeredUntil = began + LEASE_MS;
    if (namespace !== undefined) this.#listed.add(namespace.id);
  }

  /** Call it if a namespace may have been removed from the list. */
  forget({ id }: Namespace): void {
    this.#listed.delete(id);
  }

  /** Ends a registration: now, or, if the server cannot be reached, before the next write. */
  end(writer: string): void {
    this.#ended.add(writer);
    this.#put([], [writer]).catch(() => undefined);
  }

  /** Ends all registrations if the server answers in time; otherwise they run out by themselves. */
  async close(writers: readonly string[], timeout: number): Promise<void> {
    const all = [...writers, ...this.#ended];
    if (all.length === 0) return;
    const ended = this.#put([], all, timeout).catch(() => undefined);
    await inTime(ended, timeout, () => undefined);
  }

  async #put(docs: readonly object[], ended: readonly string[], timeout?: number): Promise<void> {
    const all = [...docs, ...ended.map((writer) => ({ _key: writer, kind: "writer", ended: true }))];
    const bindVars = { "@system": this.#layout.system, docs: all };
    // Ending alone does not recreate a dropped collection: its registrations ended with it.
    if (docs.length === 0)
      await this.#server.query(REGISTER.text, bindVars, { timeout }).catch(unlessDropped);
    else await this.#server.execute(REGISTER, bindVars, { timeout });
    for (const writer of ended) this.#ended.delete(writer);
  }
}

/** The `_key` under which a namespace is listed. */
export function spaceKey({ id }: Namespace): string {
  return `namespace-${documentKey("", id)}`;
}

function unlessDropped(error: unknown): void {
  if (!isNumbered(error, ERROR.collectionNotFound, ERROR.databaseNotFound)) throw error;
}

/** Whatever the outcome of the registration, the write itself was not sent. */
function beforeTheWrite(error: unknown): unknown {
  if (!(error instanceof ArangoFailure) || !mayHaveTakenEffect(error)) return error;
  return new ArangoFailure(error.message, "not sent", { code: error.code });
}
