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

/** Milliseconds by which two servers' clocks may differ without a deadline being wrong. */
const TOLERANCE_MS = 100;

/** Milliseconds after which a refusal is another one. */
const ONGOING_MS = 500;

export type Argument = string | Buffer;

/** A write that was sent, or not, and did not succeed; without an error: what came was not its answer. */
interface Attempt {
  readonly command: WriteCommand;
  readonly error?: unknown;
}

/**
 * Commands through the connection. Nothing is sent while there is none, so that what fails for that reason is known to
 * have had no effect; a write whose answer was lost is never repeated (`WriteCommand`) and reported as what it is: unknown.
 */
export class Link {
  readonly clock: ServerClock = new ServerClock(() => this.#time());
  readonly #connection: Connection;
  readonly #settings: ConnectionSettings;
  /** Counts how often a new connection led to a server whose clock differs from that of the one before. */
  #otherClocks = 0;
  /** When the server refused for the first and the last time, of refusals that followed one another. */
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

  /** A failure as it is told to callers. */
  explained(error: unknown): Error {
    return this.#connection.explained(this.#connection.failure(error));
  }

  /** Makes `clock` right where it may not be; `undefined`: it is. @throws where there is no connection */
  syncClock(): Promise<void> | undefined {
    if (this.#connection.isUsable) return this.clock.sync();
    return this.#connection.away(this.#patience())?.then(() => this.clock.sync());
  }

  async #time(): Promise<number> {
    const [seconds, microseconds] = (await this.#connection.ask("TIME", [])) as Buffer[];
    return Number(seconds) * 1000 + Number(microseconds) / 1000;
  }

  /** With each new connection: it may lead to another server. */
  async #readClock(): Promise<void> {
    const [before, at] = [this.clock.now(), elapsed()];
    // What was under way through the connection before is lost with it.
    await this.clock.measure().catch(() => this.clock.measure());
    const moved = this.clock.now() - before - (elapsed() - at);
    if (Math.abs(moved) > TOLERANCE_MS) this.#otherClocks++;
  }

  /** How long an operation that is called now goes on trying. */
  #patience(): number {
    return elapsed() + this.#settings.busyTimeout;
  }

  /**
   * A command that may be sent more than once, because the second time changes nothing. Bulk strings come as Buffers.
   * `node`: to this one of a Cluster.
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

  /** After an attempt that failed, if there was one. */
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

  /** Whether what was not sent, or may be sent twice, waits for the next connection. */
  get #repeats(): boolean {
    return this.isCluster || this.#settings.waitForReconnect;
  }

  /**
   * Whether the server has refused for so long that an operation gives up. How long that is counts from the first refusal,
   * not from when it was this operation's turn: operations on one key wait for one another, and would add up.
   */
  #isRefusedFor(until: number): boolean {
    const now = elapsed();
    const before = this.#refusing;
    const isOngoing = before !== undefined && now - before.last < ONGOING_MS;
    const since = isOngoing ? before.since : now;
    this.#refusing = { since, last: now };
    // In a Cluster it may be one node, or one slot, that refuses.
    return now >= until || (!this.isCluster && now - since >= this.#settings.busyTimeout);
  }

  /** Makes several calls that leave in one piece. */
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

  /** A script that may be run more than once. */
  async query(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    try {
      return await this.call("EVALSHA", [script.sha, String(keys.length), ...keys, ...args]);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return this.call("EVAL", [script.text, String(keys.length), ...keys, ...args]);
    }
  }

  /**
   * A script that writes: applied once, or not at all where this rejects with something that may be retried. The first
   * of the operands is left free for the script, the second is the number of keys.
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

  /** After an attempt that failed, if there was one. */
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

  /** What to do after an attempt. @throws where there is nothing to do */
  #judge({ command, error }: Attempt, until: number): "as it is" | "with its text" {
    const connection = this.#connection;
    const failure = connection.failure(error ?? new Error("the answer was lost"));
    if (command.inDoubt(error)) throw unknownOutcome(failure);
    // The server forgot its scripts, and has done nothing.
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
