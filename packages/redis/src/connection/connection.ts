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

/** Milliseconds between two attempts while the server refuses temporarily. */
export const PAUSE_MS = 25;

export type ConnectionSettings = Pick<Settings, "source" | "busyTimeout" | "waitForReconnect">;

/** Monotonic milliseconds: setting the clock neither shortens nor prolongs a wait. */
export const elapsed: () => number = monotonicNow;

/**
 * The driver's client, and whether it may be used. Each new connection is first checked to be in the right database, which
 * ioredis does not ensure, and asked for the server's time.
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

  /** @param welcome called before a new connection is used */
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

  /** Call it for every command. */
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

  /** Closes the client, unless it was handed in. */
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

  /** Records a failure of the connection, to explain why there is no connection. */
  readonly note = (error: Error): void => {
    const failure = this.failure(error);
    // A server that refuses a connection gives its reason first and then closes it; the close itself explains less.
    const said = this.#lastError !== undefined && refusalOf(this.#lastError, this.#isCluster) !== undefined;
    if (this.#isNewAttempt || !said) this.#lastError = failure;
    this.#isNewAttempt = false;
  };

  /** A failure without secrets. */
  failure(error: unknown): Error {
    return this.#scrubber.failure(error);
  }

  /** A failure as callers receive it. */
  explained(failure: Error): Error {
    return refusalOf(failure, this.#isCluster) ?? failure;
  }

  /** Whether the server refused only temporarily, having done nothing. */
  isMomentary(failure: Error): boolean {
    return isMomentary(failure, this.#isCluster);
  }

  readonly #ready = (): void => {
    this.#attempts = 0;
    // If this fails, the next operation tries again and reports the failure.
    this.#admitted().catch(() => undefined);
  };

  /** The driver has given up, as it does when all Sentinels are away; the adapter's own client goes on trying. */
  readonly #ended = (): void => {
    const client = this.#client;
    if (client === undefined || !this.isOwn) return;
    this.#again = timer(() => void client.connect().catch(this.note), retryDelay(++this.#attempts));
    this.#again.hold(false);
  };

  /** Resolves when commands can be sent; `undefined`: now. @param until in the time of `elapsed` */
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

  /** Waits until the driver is connected; `once`: only for its present attempt. */
  async #connected(until: number, once: boolean): Promise<void> {
    const { client } = this;
    if (client.status === "ready") return;
    if (client.status === "end" && !this.isOwn) throw this.#closedByOwner();
    if (client.status === "wait") client.connect().catch(this.note);
    const patience = Math.max(0, Math.round(until - elapsed()));
    await this.#inTime(
      once ? this.#outcome(client) : this.#returned(client),
      until,
      `no connection within ${patience} ms${this.#usesTls ? ", with TLS, which the server may not use at this port" : ""}`,
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

  /** Rejects at the first failure; if `patient`, at the first failure that waiting cannot cure. */
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
      "the client was closed by its owner, or has given up reconnecting (retryStrategy); hand in an open client",
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

  /** Sends a command through a connection that is not admitted yet, and repeats it while the server refuses temporarily. */
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
      `${what}${why}; nothing was sent; check that the server is running and reachable${closedByServer(cause) ? `, accepts one more connection (maxclients), and ${this.#usesTls ? "uses" : "does not require"} TLS` : ""}`,
      cause === undefined ? { retryable: true } : { cause, retryable: true },
    );
  }
}

function isAccount(source: Settings["source"]): source is Account {
  return "address" in source;
}

/** Whether the server accepted a connection and closed it: its reason may not have been read. */
function closedByServer(cause: Error | undefined): boolean {
  const code = codeOf(cause);
  return code === "EPIPE" || code === "ECONNRESET";
}
