import { Refusal, timer } from "@kv/core";
import { type Client, replacementOf } from "../connection/clients.ts";
import { Link } from "../connection/link.ts";

/** Milliseconds of silence that prove nothing: a server may be busy for a moment. */
const LEAST_MS = 1000;

interface Replacement {
  readonly client: Client;
  readonly link: Promise<Link>;
}

/**
 * What watchers ask the server through: the store's connection. A client that was handed in may keep a connection whose
 * other end vanished until TCP gives it up, after minutes, and it is not ours to close; then they go on over one of their
 * own, until nobody watches any more.
 */
export class WatchLink {
  readonly #link: Link;
  readonly #patience: number;
  #replacement: Replacement | undefined;
  /** Counts the times that it was closed. */
  #closed = 0;

  /** `patience`: milliseconds to wait for an answer of a client that does not give up itself; at least a second. */
  constructor(link: Link, patience: number) {
    this.#link = link;
    this.#patience = Math.max(patience, LEAST_MS);
  }

  /** The question may be asked twice. @throws what it throws, or a Refusal when no answer comes in time */
  async ask<T>(question: (link: Link) => Promise<T>): Promise<T> {
    if (this.#replacement !== undefined) return question(await this.#replacement.link);
    const { client } = this.#link;
    if (this.#link.silenceLimit !== undefined) return question(this.#link);
    const closed = this.#closed;
    const answer = question(this.#link);
    if (await this.#isInTime(answer)) return answer;
    // While it is reconnecting, another one would fare no better.
    if (closed !== this.#closed || client.status !== "ready")
      throw new Refusal("KV_UNAVAILABLE", `the server did not answer within ${this.#patience} ms`);
    this.#replacement ??= this.#replace(client);
    return question(await this.#replacement.link);
  }

  /** Nobody watches any more. */
  close(): void {
    this.#closed++;
    if (this.#replacement !== undefined) this.#drop(this.#replacement);
  }

  #replace(silent: Client): Replacement {
    const client = replacementOf(silent);
    client.on("error", () => undefined);
    const link = new Link({ source: client, busyTimeout: this.#patience, waitForReconnect: false });
    const replacement = { client, link: link.open().then(() => link) };
    replacement.link.catch(() => this.#drop(replacement));
    return replacement;
  }

  #drop(replacement: Replacement): void {
    replacement.client.disconnect();
    if (this.#replacement === replacement) this.#replacement = undefined;
  }

  /** Whether it settles in time. @throws what it rejects with */
  async #isInTime(answer: Promise<unknown>): Promise<boolean> {
    const { promise: late, resolve } = Promise.withResolvers<false>();
    const limit = timer(() => resolve(false), this.#patience);
    limit.hold(false);
    try {
      return await Promise.race([answer.then(() => true), late]);
    } finally {
      limit.cancel();
    }
  }
}
