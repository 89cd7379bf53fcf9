import type { StoredChange, StoredEntry } from "@kv/core";
import { elapsed } from "../connection/connection.ts";
import type { Space } from "../stored/layout.ts";

/** Milliseconds that a message may take to arrive. */
const LATE_MS = 5000;

/** One write's changes: their number, the epoch, then what happened, the key and the revision for each. */
type Message = readonly [seq: number, epoch: string, ...changes: string[]];

interface Event {
  readonly type: "set" | "touch" | "delete" | "expire";
  readonly key: string;
  readonly revision: string;
}

export interface ChannelOptions {
  /** The entries as they are now. */
  readonly read: (keys: readonly string[]) => Promise<readonly (StoredEntry | undefined)[]>;
  /** Reports the changes of the message with this number to the watchers. */
  readonly publish: (changes: readonly StoredChange[], seq: number) => void;
}

/**
 * The changes of one space, in order. A message names the keys that changed; their entries are read when it is delivered, so
 * that a watcher that falls behind receives the latest state, not every state. Messages are numbered: a missing number or
 * another epoch means that messages were lost, and is reported as `resync`.
 */
export class ChangeChannel {
  readonly space: Space;
  readonly #options: ChannelOptions;
  #epoch: string | undefined;
  /** The number of the last message that arrived. */
  #arrived = 0;
  /** The number of the last message known to be sent: it must arrive before the next question, or is lost. */
  #expected = 0;
  readonly #queue: Message[] = [];
  /** Messages that arrived before the first number was known. */
  #early: Message[] = [];
  #working = false;
  #ended = false;
  /** The server was replaced or restarted: its next answer is a new beginning. */
  #restarted = false;
  /** When the number was last taken from the server and not from a message: earlier messages may still arrive. */
  #jumped = 0;
  /** Keys whose delivered state is newer than its message, with that state's revision. */
  readonly #ahead = new Map<string, string>();

  constructor(space: Space, options: ChannelOptions) {
    this.space = space;
    this.#options = options;
  }

  end(): void {
    this.#ended = true;
  }

  /** The number of the last message that arrived. */
  get arrived(): number {
    return this.#epoch === undefined ? 0 : this.#arrived;
  }

  /**
   * Call it if the server was replaced, or restarted from saved data: its numbers may belong to other messages. Watchers
   * receive `resync` with its next answer.
   */
  restart(): void {
    this.#restarted = true;
    this.#epoch = undefined;
    this.#queue.length = 0;
    this.#ahead.clear();
  }

  /** A message from the server. */
  receive(text: string): void {
    const message: Message | undefined = parsed(text);
    if (message === undefined || this.#ended) return;
    if (this.#epoch === undefined) this.#early.push(message);
    else this.#arrive(message);
  }

  #arrive(message: Message): void {
    const [seq, epoch] = message;
    if (epoch !== this.#epoch) this.#lost(epoch, seq - 1);
    if (seq <= this.#arrived) {
      // Either it was sent before the number was taken, or the server counts again from saved data.
      if (elapsed() - this.#jumped > LATE_MS) this.#lost(epoch, seq);
      return;
    }
    if (seq > this.#arrived + 1) this.#lost(epoch, seq - 1);
    this.#arrived = seq;
    this.#queue.push(message);
    if (!this.#working) void this.#work();
  }

  /**
   * Takes the server's answer: the epoch, and the number of the last message it sent. Messages sent before the previous
   * question that have still not arrived are lost; with `now`, so are those sent before this one.
   *
   * `before`: the number that had arrived when the server was asked; a smaller answer means that the server lost messages.
   *
   * Returns false if a message did not come although it had time to: the subscriber's connection may be dead.
   */
  attend(epoch: string, seq: number, now: boolean, before: number): boolean {
    if (this.#epoch === undefined) {
      this.#epoch = epoch;
      this.#arrived = seq;
      this.#expected = seq;
      this.#jumped = elapsed();
      // Not earlier: watchers then read a state that includes all messages sent before this answer.
      if (this.#restarted) this.#options.publish([{ type: "resync" }], seq);
      this.#restarted = false;
      const early = this.#early;
      this.#early = [];
      for (const message of early) this.#arrive(message);
      return true;
    }
    if (epoch === this.#epoch && seq < before) {
      this.#lost(epoch, seq);
      return true;
    }
    const due = now ? seq : this.#expected;
    this.#expected = seq;
    if (epoch === this.#epoch && this.#arrived >= due) return true;
    const overdue = epoch === this.#epoch && !now;
    this.#lost(epoch, seq);
    return !overdue;
  }

  #lost(epoch: string, arrived: number): void {
    this.#epoch = epoch;
    this.#arrived = arrived;
    this.#expected = arrived;
    this.#jumped = elapsed();
    this.#queue.length = 0;
    this.#ahead.clear();
    this.#options.publish([{ type: "resync" }], arrived);
  }

  async #work(): Promise<void> {
    this.#working = true;
    while (this.#queue.length > 0 && !this.#ended) {
      const messages = this.#queue.splice(0, 256);
      const events = messages.map(eventsOf);
      const keys = new Set<string>();
      for (const event of events.flat())
        if (event.type === "set" || event.type === "touch") keys.add(event.key);
      try {
        const entries = await this.#read([...keys]);
        for (const [i, [seq]] of messages.entries()) {
          const changes = (events[i] ?? []).map((event) => this.#change(event, entries));
          this.#options.publish(
            changes.filter((change) => change !== undefined),
            seq,
          );
        }
      } catch {
        // The entries could not be read, and the next message may concern other keys.
        if (!this.#ended) this.#lost(this.#epoch ?? "", this.#arrived);
      }
    }
    this.#working = false;
  }

  async #read(keys: readonly string[]): Promise<ReadonlyMap<string, StoredEntry | undefined>> {
    const entries = keys.length === 0 ? [] : await this.#options.read(keys);
    return new Map(keys.map((key, i) => [key, entries[i]]));
  }

  /** `undefined`: the change was already reported, or a later message covers it. */
  #change(
    { type, key, revision }: Event,
    entries: ReadonlyMap<string, StoredEntry | undefined>,
  ): StoredChange | undefined {
    const ahead = this.#ahead.get(key);
    if (ahead !== undefined) {
      if (type === "set" && revision === ahead) this.#ahead.delete(key);
      return undefined;
    }
    if (type === "delete" || type === "expire") return { type, key };
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.revision !== revision) {
      if (type === "touch") return undefined;
      this.#ahead.set(key, entry.revision);
    }
    return { type, key, entry };
  }
}

function parsed(text: string): Message | undefined {
  try {
    const message: unknown = JSON.parse(text);
    return Array.isArray(message) && typeof message[0] === "number"
      ? (message as unknown as Message)
      : undefined;
  } catch {
    return undefined;
  }
}

function eventsOf(message: Message): Event[] {
  const events: Event[] = [];
  for (let i = 2; i + 2 < message.length; i += 3) {
    const [type, key, revision] = [message[i], message[i + 1], message[i + 2]];
    events.push({ type: type as Event["type"], key: String(key), revision: String(revision) });
  }
  return events;
}
