import { Refusal, timer } from "@kv/core";
import { type Client, replacementOf } from "../connection/clients.ts";
import { Link } from "../connection/link.ts";

/** Milliseconds of silence that prove nothing: a server may be briefly busy. */
const LEAST_MS = 1000;

interface Replacement {
  readonly client: Client;
  readonly link: Promise<Link>;
}

/**
 * The connection for watchers' questions: normally the store's. A client that was handed in may keep a connection whose other
 * end vanished until TCP closes it, after minutes, and the adapter must not close it. Watchers then switch to a separate
 * connection until none is left.
 */
export class WatchLink {
  readonly #link: Link;
  readonly #patience: number;
  #replacement: Replacement | undefined;
  /** Counts the times that it was closed. */
  #closed = 0;

  /** `patience`: milliseconds to wait for an answer from a client without a limit of its own; at least a second. */
  constructor(link: Link, patience: number) {
    this.#link = link;
    this.#patience = Math.max(patience, LEAST_MS);
  }

  /** Asks a question, possibly twice. @throws the question's error, or a Refusal if no answer comes in time */
  async ask<T>(question: (link: Link) => Promise<T>): Promise<T> {
    if (this.#replacement !== undefined) return question(await this.#replacement.link);
    const { client } = this.#link;
    if (this.#link.silenceLimit !== undefined) return question(this.#link);
    const closed = this.#closed;
    const answer = question(this.#link);
    if (await this.#isInTime(answer)) return answer;
    // While the client is reconnecting, another connection would not help.
    if (closed !== this.#closed || client.status !== "ready")
      throw new Refusal("KV_UNAVAILABLE", `the server did not answer a watcher within ${this.#patience} ms`);
    this.#replacement ??= this.#replace(client);
    return question(await this.#replacement.link);
  }

  /** Call it when no watcher is left. */
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

  /** Whether the answer arrives in time. @throws the answer's rejection */
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
