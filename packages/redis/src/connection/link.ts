import { delay, Refusal, ServerClock } from "@kv/core";
import { Command, type Redis } from "ioredis";
import {
  foreign,
  isTimeout,
  isUnknownScript,
  otherClock,
  refuseQueued,
  refuseQueuedWrite,
  unknownOutcome,
} from "../refusals/reply-refusals.ts";
import type { Script } from "../scripts/script.ts";
import type { Client } from "./clients.ts";
import { Connection, type ConnectionSettings, elapsed, PAUSE_MS } from "./connection.ts";
import { ClusterWriteCommand, isReply, WriteCommand } from "./write-command.ts";

/** Milliseconds that two servers' clocks may differ before deadlines count as wrong. */
const TOLERANCE_MS = 100;

/** Milliseconds after which a refusal counts as a new one. */
const ONGOING_MS = 500;

export type Argument = string | Buffer;

/** A write that failed, sent or not; without an error: the answer was not this write's. */
interface Attempt {
  readonly command: WriteCommand;
  readonly error?: unknown;
}

/**
 * Commands through the connection. Nothing is sent while there is no connection, so commands that fail for that reason had
 * no effect. A write whose answer was lost is never repeated (`WriteCommand`); its outcome is reported as unknown.
 */
export class Link {
  readonly clock: ServerClock = new ServerClock(() => this.#time());
  readonly #connection: Connection;
  readonly #settings: ConnectionSettings;
  /** How often a new connection led to a server with another clock than the one before. */
  #otherClocks = 0;
  /** When the present series of refusals began, and its last one. */
  #refusing: { readonly since: number; readonly last: number } | undefined;

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
    this.#connection = new Connection(settings, () => this.#readClock());
  }

  /** Only while it is open. */
  get client(): Client {
    return this.#connection.client;
  }

  get isCluster(): boolean {
    return this.#connection.isCluster;
  }

  /** Whether the client is this adapter's own, and used by no other. */
  get isOwn(): boolean {
    return this.#connection.isOwn;
  }

  /** The number of the database. */
  get db(): number {
    return this.#connection.db;
  }

  /** Milliseconds after which a connection that went silent is given up; `undefined`: never. */
  get silenceLimit(): number | undefined {
    return this.#connection.silenceLimit;
  }

  open(): Promise<void> {
    return this.#connection.open();
  }

  close(): void {
    this.#connection.close();
  }

  /** A failure as callers receive it. */
  explained(error: unknown): Error {
    return this.#connection.explained(this.#connection.failure(error));
  }

  /** Corrects `clock` if it may be wrong; `undefined`: it is right. @throws without a connection */
  syncClock(): Promise<void> | undefined {
    if (this.#connection.isUsable) return this.clock.sync();
    return this.#connection.away(this.#patience())?.then(() => this.clock.sync());
  }

  async #time(): Promise<number> {
    const [seconds, microseconds] = (await this.#connection.ask("TIME", [])) as Buffer[];
    return Number(seconds) * 1000 + Number(microseconds) / 1000;
  }

  /** Runs for each new connection, which may lead to another server. */
  async #readClock(): Promise<void> {
    const [before, at] = [this.clock.now(), elapsed()];
    // A measurement in progress on the old connection is lost with it.
    await this.clock.measure().catch(() => this.clock.measure());
    const moved = this.clock.now() - before - (elapsed() - at);
    if (Math.abs(moved) > TOLERANCE_MS) this.#otherClocks++;
  }

  /** Until when an operation called now goes on trying. */
  #patience(): number {
    return elapsed() + this.#settings.busyTimeout;
  }

  /**
   * Sends a command that may be sent more than once, because repeating it changes nothing. Bulk strings arrive as Buffers.
   * `node`: the node of a Cluster to send it to.
   */
  call(name: string, args: Argument[], node?: Redis): Promise<unknown> {
    const connection = this.#connection;
    if (!connection.isUsable) return this.#insist(name, args, node, undefined);
    connection.attend();
    const command = new Command(name, args);
    (node ?? connection.client).sendCommand(command);
    return command.promise.then(connection.isOwn ? undefined : refuseQueued, (error: unknown) =>
      this.#insist(name, args, node, error),
    );
  }

  /** Goes on trying, after a failed attempt if there was one. */
  async #insist(name: string, args: Argument[], node: Redis | undefined, error: unknown): Promise<unknown> {
    const until = this.#patience();
    const connection = this.#connection;
    for (let failed = error; ; ) {
      if (failed !== undefined) {
        const failure = connection.failure(failed);
        const isLost = !isReply(failed) && !isTimeout(failure) && this.#repeats;
        const isMomentary = connection.isMomentary(failure);
        if (isMomentary ? this.#isRefusedFor(until) : !isLost || elapsed() >= until)
          throw foreign(failure, name, args) ?? connection.explained(failure);
        await delay(PAUSE_MS);
      }
      const away = connection.away(until);
      if (away !== undefined) await away;
      connection.attend();
      const command = new Command(name, args);
      (node ?? connection.client).sendCommand(command);
      try {
        const reply = refuseQueued(await command.promise);
        this.#refusing = undefined;
        return reply;
      } catch (again) {
        if (again instanceof Refusal) throw again;
        failed = again;
      }
    }
  }

  /** Whether commands that were not sent, or may be sent twice, wait for the next connection. */
  get #repeats(): boolean {
    return this.isCluster || this.#settings.waitForReconnect;
  }

  /**
   * Whether the server has refused for so long that an operation gives up. The time counts from the first refusal, not from
   * the operation's turn: operations on one key wait for one another, so their waits would add up.
   */
  #isRefusedFor(until: number): boolean {
    const now = elapsed();
    const before = this.#refusing;
    const isOngoing = before !== undefined && now - before.last < ONGOING_MS;
    const since = isOngoing ? before.since : now;
    this.#refusing = { since, last: now };
    // In a Cluster, a single node or slot may be refusing.
    return now >= until || (!this.isCluster && now - since >= this.#settings.busyTimeout);
  }

  /** Makes several calls, and sends them in one piece. */
  together<T>(calls: () => T): T {
    const { client } = this;
    const stream = client.isCluster ? undefined : (client as Redis).stream;
    stream?.cork();
    try {
      return calls();
    } finally {
      stream?.uncork();
    }
  }

  /** Runs a script that may be run more than once. */
  async query(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    try {
      return await this.call("EVALSHA", [script.sha, String(keys.length), ...keys, ...args]);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return this.call("EVAL", [script.text, String(keys.length), ...keys, ...args]);
    }
  }

  /**
   * Runs a script that writes: it is applied once, or not at all if this rejects with a retryable error. The first operand
   * is left free for the script, the second is the number of keys.
   */
  run(script: Script, operands: Argument[]): Promise<unknown> {
    const connection = this.#connection;
    if (!connection.isUsable) return this.#persist(script, operands, undefined);
    operands[0] = script.sha;
    connection.attend();
    const command = this.#writeCommand("EVALSHA", operands);
    connection.client.sendCommand(command);
    return command.promise.then(
      (reply: unknown) => {
        if (command.repeated) return this.#persist(script, operands, { command });
        return connection.isOwn ? reply : refuseQueuedWrite(reply);
      },
      (error: unknown) => this.#persist(script, operands, { command, error }),
    );
  }

  #writeCommand(name: string, operands: Argument[]): WriteCommand {
    return this.isCluster ? new ClusterWriteCommand(name, operands) : new WriteCommand(name, operands);
  }

  /** Goes on trying, after a failed attempt if there was one. */
  async #persist(script: Script, operands: Argument[], attempt: Attempt | undefined): Promise<unknown> {
    const until = this.#patience();
    const connection = this.#connection;
    const clock = this.#otherClocks;
    let known = true;
    for (let failed = attempt; ; ) {
      if (failed !== undefined) {
        const again = this.#judge(failed, until);
        if (again === "with its text") known = false;
        else await delay(PAUSE_MS);
      }
      const away = connection.away(until);
      if (away !== undefined) await away;
      if (clock !== this.#otherClocks) throw otherClock();
      connection.attend();
      operands[0] = known ? script.sha : script.text;
      const command = this.#writeCommand(known ? "EVALSHA" : "EVAL", operands);
      try {
        connection.client.sendCommand(command);
        const reply: unknown = await command.promise;
        this.#refusing = undefined;
        if (!command.repeated) return refuseQueuedWrite(reply);
        failed = { command };
      } catch (error) {
        if (error instanceof Refusal) throw error;
        failed = { command, error };
      }
    }
  }

  /** Decides how to repeat a failed attempt. @throws if it must not be repeated */
  #judge({ command, error }: Attempt, until: number): "as it is" | "with its text" {
    const connection = this.#connection;
    const failure = connection.failure(error ?? new Error("the answer was lost"));
    if (command.inDoubt(error)) throw unknownOutcome(failure);
    // The server has lost its scripts, and did nothing.
    if (isUnknownScript(failure)) return "with its text";
    const isMomentary = connection.isMomentary(failure);
    if (isMomentary && !this.#isRefusedFor(until)) return "as it is";
    const unsent = !isReply(error) && !isMomentary;
    if (unsent && this.#repeats && elapsed() < until) return "as it is";
    if (!unsent) throw connection.explained(failure);
    connection.note(failure);
    throw connection.unreachable("not connected");
  }
}
