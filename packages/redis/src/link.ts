import { setTimeout as sleep } from "node:timers/promises";
import { isError, Refusal } from "@kv/core";
import { Command, type Redis } from "ioredis";
import { type Client, isCluster, newClient, silenceLimitOf } from "./clients.ts";
import { isMomentary, loginRefusal, Scrubber } from "./errors.ts";
import type { Account, Settings } from "./options.ts";
import type { Script } from "./script.ts";
import { SilenceGuard } from "./silence-guard.ts";
import { ClusterWriteCommand, isReply, WriteCommand } from "./write-command.ts";

/** Milliseconds between two attempts while the server refuses for the moment. */
const PAUSE_MS = 25;

export type Argument = string | Buffer;

/** A write that was sent, or not, and did not succeed; without an error: what came was not its answer. */
interface Attempt {
  readonly command: WriteCommand;
  readonly error?: unknown;
}

/**
 * The connection. Nothing is sent while there is none, so that what fails for that reason is known to have had no
 * effect; a write whose answer was lost is never repeated (`WriteCommand`) and reported as what it is: unknown.
 */
export class Link {
  readonly #settings: Pick<Settings, "source" | "busyTimeout" | "waitForReconnect">;
  readonly #scrubber: Scrubber;
  #client: Client | undefined;
  #guard: SilenceGuard | undefined;
  #lastError: Error | undefined;
  readonly #note = (error: Error): void => {
    this.#lastError = this.#scrubber.failure(error);
  };

  constructor(settings: Pick<Settings, "source" | "busyTimeout" | "waitForReconnect">) {
    this.#settings = settings;
    const { source } = settings;
    this.#scrubber = new Scrubber(isAccount(source) ? [source.password, source.sentinelPassword] : []);
  }

  /** Only while it is open. */
  get client(): Client {
    if (this.#client === undefined) throw new Error("the redis adapter is not open");
    return this.#client;
  }

  get isCluster(): boolean {
    return isCluster(this.client);
  }

  /** Milliseconds after which a connection that went silent is given up; `undefined`: never. */
  get silenceLimit(): number | undefined {
    const { source } = this.#settings;
    return isAccount(source) ? source.socketTimeout : silenceLimitOf(source);
  }

  async open(): Promise<void> {
    const { source } = this.#settings;
    const client = isAccount(source) ? newClient(source) : source;
    if (isAccount(source) && !isCluster(client)) this.#guard = new SilenceGuard(client, source.socketTimeout);
    client.on("error", this.#note);
    client.on("node error", this.#note);
    this.#lastError = undefined;
    try {
      await this.#connected(client, isAccount(source) ? source.connectTimeout : this.#settings.busyTimeout);
      this.#client = client;
    } catch (error) {
      this.#release(client);
      throw error;
    }
  }

  close(): void {
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) this.#release(client);
  }

  /** Closes what was opened here. */
  #release(client: Client): void {
    this.#guard?.close();
    this.#guard = undefined;
    if (client === this.#settings.source) {
      client.off("error", this.#note);
      client.off("node error", this.#note);
    } else client.disconnect();
  }

  async #connected(client: Client, patience: number): Promise<void> {
    if (client.status === "ready") return;
    if (client.status === "end") {
      throw new Refusal("KV_UNAVAILABLE", "the client was closed by its owner; hand in one that is open", {
        retryable: false,
      });
    }
    if (client.status === "wait") client.connect().catch(this.#note);
    const timer = new AbortController();
    try {
      await Promise.race([
        this.#readiness(client),
        sleep(patience, undefined, { signal: timer.signal }).then(() => {
          throw this.#unreachable(`no connection within ${patience} ms`);
        }),
      ]);
    } finally {
      timer.abort();
    }
  }

  /** Rejects at the first failure, unless the caller chose to wait. */
  #readiness(client: Client): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const closed = () => {
      const refused = this.#lastError === undefined ? undefined : loginRefusal(this.#lastError);
      if (refused !== undefined || !this.#settings.waitForReconnect || client.status === "end")
        reject(refused ?? this.#unreachable("no connection"));
    };
    client.once("ready", resolve);
    client.on("close", closed);
    client.on("end", closed);
    return promise.finally(() => {
      client.off("ready", resolve);
      client.off("close", closed);
      client.off("end", closed);
    });
  }

  #unreachable(what: string): Error {
    const cause = this.#lastError;
    const refused = cause === undefined ? undefined : loginRefusal(cause);
    if (refused !== undefined) return refused;
    const why = cause === undefined ? "" : ` (${cause.message})`;
    return new Refusal(
      "KV_UNAVAILABLE",
      `${what}${why}; nothing was sent; check that the server is running and reachable`,
      cause === undefined ? { retryable: true } : { cause, retryable: true },
    );
  }

  /** Resolves when commands can be sent. `undefined`: now. */
  #away(until: number): Promise<void> | undefined {
    const { client } = this;
    if (client.status === "ready") return undefined;
    if (!this.#settings.waitForReconnect) return Promise.reject(this.#unreachable("not connected"));
    return this.#connected(client, Math.max(0, until - Date.now()));
  }

  /**
   * A command that may be sent more than once, because the second time changes nothing. Bulk strings come as Buffers.
   * `node`: to this one of a Cluster.
   */
  call(name: string, args: Argument[], node?: Redis): Promise<unknown> {
    if (this.client.status !== "ready") return this.#insist(name, args, node, undefined);
    this.#guard?.attend();
    const command = new Command(name, args);
    (node ?? this.client).sendCommand(command);
    return command.promise.catch((error: unknown) => this.#insist(name, args, node, error));
  }

  /** After an attempt that failed, if there was one. */
  async #insist(name: string, args: Argument[], node: Redis | undefined, error: unknown): Promise<unknown> {
    const until = Date.now() + this.#settings.busyTimeout;
    for (let failed = error; ; ) {
      if (failed !== undefined) {
        const failure = this.#scrubber.failure(failed);
        const isLost = !isReply(failed) && (this.isCluster || this.#settings.waitForReconnect);
        if (!(isLost || isMomentary(failure)) || Date.now() >= until) throw failure;
        await sleep(PAUSE_MS);
      }
      const away = this.#away(until);
      if (away !== undefined) await away;
      this.#guard?.attend();
      const command = new Command(name, args);
      (node ?? this.client).sendCommand(command);
      try {
        return await command.promise;
      } catch (again) {
        failed = again;
      }
    }
  }

  /** Makes several calls that leave in one piece. */
  together<T>(calls: () => T): T {
    const { client } = this;
    const stream = isCluster(client) ? undefined : client.stream;
    stream?.cork();
    try {
      return calls();
    } finally {
      stream?.uncork();
    }
  }

  /** A script that may be run more than once. */
  async query(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    try {
      return await this.call("evalsha", [script.sha, String(keys.length), ...keys, ...args]);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return this.call("eval", [script.text, String(keys.length), ...keys, ...args]);
    }
  }

  /**
   * A script that writes: applied once, or not at all where this rejects with something that may be retried. The first
   * of the operands is left free for the script, the second is the number of keys.
   */
  run(script: Script, operands: Argument[]): Promise<unknown> {
    const { client } = this;
    if (client.status !== "ready") return this.#persist(script, operands, undefined);
    operands[0] = script.sha;
    this.#guard?.attend();
    const command = this.#writeCommand("evalsha", operands);
    client.sendCommand(command);
    return command.promise.then(
      (reply: unknown) => (command.repeated ? this.#persist(script, operands, { command }) : reply),
      (error: unknown) => this.#persist(script, operands, { command, error }),
    );
  }

  #writeCommand(name: string, operands: Argument[]): WriteCommand {
    return this.isCluster ? new ClusterWriteCommand(name, operands) : new WriteCommand(name, operands);
  }

  /** After an attempt that failed, if there was one. */
  async #persist(script: Script, operands: Argument[], attempt: Attempt | undefined): Promise<unknown> {
    const until = Date.now() + this.#settings.busyTimeout;
    let known = true;
    for (let failed = attempt; ; ) {
      if (failed !== undefined) {
        const again = this.#judge(failed, until);
        if (again === "with its text") known = false;
        else await sleep(PAUSE_MS);
      }
      const away = this.#away(until);
      if (away !== undefined) await away;
      this.#guard?.attend();
      operands[0] = known ? script.sha : script.text;
      const command = this.#writeCommand(known ? "evalsha" : "eval", operands);
      try {
        this.client.sendCommand(command);
        const reply: unknown = await command.promise;
        if (!command.repeated) return reply;
        failed = { command };
      } catch (error) {
        failed = { command, error };
      }
    }
  }

  /** What to do after an attempt. @throws where there is nothing to do */
  #judge({ command, error }: Attempt, until: number): "as it is" | "with its text" {
    const failure = this.#scrubber.failure(error ?? new Error("the answer was lost"));
    if (command.inDoubt(error)) throw unknownOutcome(failure);
    // The server forgot its scripts, and has done nothing.
    if (isUnknownScript(failure)) return "with its text";
    const unsent = !isReply(error) && !isMomentary(failure);
    const again = unsent ? this.isCluster || this.#settings.waitForReconnect : isMomentary(failure);
    if (again && Date.now() < until) return "as it is";
    if (!unsent) throw failure;
    this.#note(failure);
    throw this.#unreachable("not connected");
  }
}

function isAccount(source: Settings["source"]): source is Account {
  return "address" in source;
}

function isUnknownScript(error: unknown): boolean {
  return isError(error) && error.message.startsWith("NOSCRIPT");
}

function unknownOutcome(cause: Error): Refusal {
  return new Refusal(
    "KV_UNAVAILABLE",
    `the connection was lost before the server's answer (${cause.message}): whether the write was applied is unknown, and it is not repeated; read the key to find out`,
    { cause, retryable: false },
  );
}
