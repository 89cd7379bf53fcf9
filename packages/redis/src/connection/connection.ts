import { delay, inTime, monotonicNow, Refusal, type Timer, timer } from "@kv/core";
import { Command } from "ioredis";
import { codeOf, isMomentary, Scrubber } from "../errors.ts";
import type { Account, Settings } from "../options.ts";
import { isFinal, refusalOf } from "../refusals/refusals.ts";
import { Admission } from "./admission.ts";
import { toBackground } from "./background-client.ts";
import { listenTo } from "./client-events.ts";
import { type Client, isCluster, newClient, retryDelay, silenceLimitOf } from "./clients.ts";
import { SilenceGuard } from "./silence-guard.ts";

/** Milliseconds between two attempts while the server refuses for the moment. */
export const PAUSE_MS = 25;

export type ConnectionSettings = Pick<Settings, "source" | "busyTimeout" | "waitForReconnect">;

/** Milliseconds that only go forward: a wait is not cut short, or drawn out, by a clock that is set meanwhile. */
export const elapsed: () => number = monotonicNow;

/**
 * The driver's client, and whether it may be used: each connection that it makes is first asked whether it is in the
 * database that is meant, which ioredis does not make sure of, and what time it is there.
 */
export class Connection {
  readonly #settings: ConnectionSettings;
  readonly #scrubber: Scrubber;
  readonly #welcome: () => Promise<void>;
  #client: Client | undefined;
  #isCluster = false;
  #guard: SilenceGuard | undefined;
  #lastError: Error | undefined;
  /** Whether nothing has failed yet since the driver began to connect. */
  #isNewAttempt = true;
  #admission: Admission | undefined;
  #return: Promise<void> | undefined;
  #unlisten: (() => void) | undefined;
  #attempts = 0;
  #again: Timer | undefined;

  /** @param welcome what else is to be done before a new connection is used. */
  constructor(settings: ConnectionSettings, welcome: () => Promise<void>) {
    this.#settings = settings;
    this.#welcome = welcome;
    const { source } = settings;
    this.#scrubber = new Scrubber(isAccount(source) ? [source.password, source.sentinelPassword] : []);
  }

  /** Only while it is open. */
  get client(): Client {
    if (this.#client === undefined) throw new Error("the redis adapter is not open");
    return this.#client;
  }

  get isCluster(): boolean {
    return this.#isCluster;
  }

  /** The number of the database. */
  get db(): number {
    return this.#admission?.db ?? 0;
  }

  /** Whether the client is this adapter's own, and used by no other. */
  get isOwn(): boolean {
    return isAccount(this.#settings.source);
  }

  get #usesTls(): boolean {
    const { source } = this.#settings;
    return isAccount(source) && source.tls !== undefined;
  }

  /** Milliseconds after which a connection that went silent is given up; `undefined`: never. */
  get silenceLimit(): number | undefined {
    const { source } = this.#settings;
    return isAccount(source) ? source.socketTimeout : silenceLimitOf(source);
  }

  /** Whether a command may be sent now. */
  get isUsable(): boolean {
    const client = this.#client;
    return client !== undefined && client.status === "ready" && this.#admission?.isGiven === true;
  }

  /** To be told of every command. */
  attend(): void {
    this.#guard?.attend();
  }

  async open(): Promise<void> {
    const { source, busyTimeout } = this.#settings;
    const client = isAccount(source) ? newClient(source) : source;
    this.#client = client;
    this.#isCluster = isCluster(client);
    this.#lastError = undefined;
    this.#admission = new Admission({
      client,
      isOwn: this.isOwn,
      ask: (name, args) => this.ask(name, args),
      welcome: this.#welcome,
    });
    if (isAccount(source)) {
      toBackground(client);
      if (!isCluster(client)) this.#guard = new SilenceGuard(client, source.socketTimeout);
    }
    this.#unlisten = listenTo(client, {
      connecting: () => {
        this.#isNewAttempt = true;
      },
      ready: this.#ready,
      close: () => this.#admission?.end(),
      end: this.#ended,
      error: this.note,
    });
    try {
      const patience = isAccount(source) ? source.connectTimeout : busyTimeout;
      const until = elapsed() + patience;
      await this.#connected(until, !this.#settings.waitForReconnect);
      await this.#inTime(this.#admitted(), until, "no answer");
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Closes what was opened here. */
  close(): void {
    const client = this.#client;
    this.#client = undefined;
    this.#again?.cancel();
    this.#guard?.close();
    this.#guard = undefined;
    if (client === undefined) return;
    if (!this.isOwn) this.#unlisten?.();
    else client.disconnect();
    this.#unlisten = undefined;
  }

  /** Keeps a failure of the connection, which explains why there is none. */
  readonly note = (error: Error): void => {
    const failure = this.failure(error);
    // A server that does not want a connection says why, and closes it: that it is closed then says less.
    const said = this.#lastError !== undefined && refusalOf(this.#lastError, this.#isCluster) !== undefined;
    if (this.#isNewAttempt || !said) this.#lastError = failure;
    this.#isNewAttempt = false;
  };

  /** A failure without secrets. */
  failure(error: unknown): Error {
    return this.#scrubber.failure(error);
  }

  /** A failure as it is told to callers. */
  explained(failure: Error): Error {
    return refusalOf(failure, this.#isCluster) ?? failure;
  }

  /** Whether the server refused only for the moment, having done nothing. */
  isMomentary(failure: Error): boolean {
    return isMomentary(failure, this.#isCluster);
  }

  readonly #ready = (): void => {
    this.#attempts = 0;
    // What fails now is tried again by the next operation, which is told of it.
    this.#admitted().catch(() => undefined);
  };

  /** The driver has given up, as it does where all Sentinels are away; a client of ours goes on trying. */
  readonly #ended = (): void => {
    const client = this.#client;
    if (client === undefined || !this.isOwn) return;
    this.#again = timer(() => void client.connect().catch(this.note), retryDelay(++this.#attempts));
    this.#again.hold(false);
  };

  /** Resolves when commands can be sent. `undefined`: now. @param until as `elapsed` tells it. */
  away(until: number): Promise<void> | undefined {
    return this.isUsable ? undefined : this.#back(until);
  }

  async #back(until: number): Promise<void> {
    const { client } = this;
    if (client.status !== "ready") {
      if (!this.#settings.waitForReconnect) throw this.unreachable("not connected");
      await this.#connected(until, false);
    }
    await this.#inTime(this.#admitted(), until, "no answer");
  }

  /** Waits until the driver is connected; `once`: for its present attempt only. */
  async #connected(until: number, once: boolean): Promise<void> {
    const { client } = this;
    if (client.status === "ready") return;
    if (client.status === "end" && !this.isOwn) throw this.#closedByOwner();
    if (client.status === "wait") client.connect().catch(this.note);
    const patience = Math.max(0, Math.round(until - elapsed()));
    await this.#inTime(
      once ? this.#outcome(client) : this.#returned(client),
      until,
      `no connection within ${patience} ms${this.#usesTls ? ", with TLS, which the server may not speak at this port" : ""}`,
    );
  }

  /** Shared by all operations that wait. */
  #returned(client: Client): Promise<void> {
    if (this.#return !== undefined) return this.#return;
    const back = this.#outcome(client, true).finally(() => {
      if (this.#return === back) this.#return = undefined;
    });
    this.#return = back;
    return back;
  }

  /** Rejects at the first failure, or, where it is patient, at the first that time does not heal. */
  #outcome(client: Client, patient = false): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const failed = () => {
      const refusal = this.#lastError === undefined ? undefined : refusalOf(this.#lastError, this.#isCluster);
      if (isFinal(refusal)) reject(refusal);
      else if (client.status === "end" && !this.isOwn) reject(this.#closedByOwner());
      else if (!patient) reject(this.unreachable("no connection"));
    };
    const unlisten = listenTo(client, { ready: resolve, close: failed, end: failed, error: () => undefined });
    return promise.finally(unlisten);
  }

  #closedByOwner(): Refusal {
    return new Refusal(
      "KV_UNAVAILABLE",
      "the client was closed by its owner, or has given up to reconnect (retryStrategy); hand in one that is open",
      { retryable: false },
    );
  }

  #inTime(promise: Promise<void>, until: number, what: string): Promise<void> {
    return inTime(promise, Math.max(0, until - elapsed()), () => {
      throw this.unreachable(what);
    });
  }

  async #admitted(): Promise<void> {
    await this.#admission?.give();
    this.#lastError = undefined;
  }

  /** A command that is sent through a connection which is not admitted yet, until the server does not refuse it for the moment. */
  async ask(name: string, args: string[]): Promise<unknown> {
    const until = elapsed() + this.#settings.busyTimeout;
    for (;;) {
      const { client } = this;
      if (client.status !== "ready") throw this.unreachable("not connected");
      this.attend();
      const command = new Command(name, args);
      client.sendCommand(command);
      try {
        return await command.promise;
      } catch (error) {
        const failure = this.failure(error);
        if (!this.isMomentary(failure) || elapsed() >= until) throw this.explained(failure);
        await delay(PAUSE_MS);
      }
    }
  }

  /** Why nothing could be sent. */
  unreachable(what: string): Error {
    const cause = this.#lastError;
    const refusal = cause === undefined ? undefined : refusalOf(cause, this.#isCluster);
    if (refusal !== undefined) return refusal;
    const why = cause === undefined ? "" : ` (${cause.message.replace(" and retry is disabled", "")})`;
    return new Refusal(
      "KV_UNAVAILABLE",
      `${what}${why}; nothing was sent; check that the server is running and reachable${closedByServer(cause) ? `, takes one more connection (maxclients), and ${this.#usesTls ? "speaks" : "does not want"} TLS` : ""}`,
      cause === undefined ? { retryable: true } : { cause, retryable: true },
    );
  }
}

function isAccount(source: Settings["source"]): source is Account {
  return "address" in source;
}

/** Whether the server accepted a connection and closed it: its word for that may not have been read. */
function closedByServer(cause: Error | undefined): boolean {
  const code = codeOf(cause);
  return code === "EPIPE" || code === "ECONNRESET";
}
