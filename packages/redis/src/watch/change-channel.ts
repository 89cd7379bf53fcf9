import type { StoredChange, StoredEntry } from "@kv/core";
import { elapsed } from "../connection/connection.ts";
import type { Space } from "../stored/layout.ts";

/** Milliseconds that a message may be on its way. */
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
  /** Tells the watchers of the changes of the message with this number. */
  readonly publish: (changes: readonly StoredChange[], seq: number) => void;
}

/**
 * The changes of one space, in order. A message says which keys changed; their entries are read when it is delivered,
 * so that whoever falls behind is told the latest state, not every state. Messages are numbered: a number that is
 * missing, or another epoch, means that some were lost, and is told as `resync`.
 */
export class ChangeChannel {
  readonly space: Space;
  readonly #options: ChannelOptions;
  #epoch: string | undefined;
  /** The number of the last message that arrived. */
  #arrived = 0;
  /** What is known to have been sent: a moment later it has arrived, or is lost. */
  #expected = 0;
  readonly #queue: Message[] = [];
  /** Messages from before it was known from which on they count. */
  #early: Message[] = [];
  #working = false;
  #ended = false;
  /** The server is another one than before: what it says next is a new beginning. */
  #restarted = false;
  /** When the count was last taken from the server and not from a message: messages from before may still be on their way. */
  #jumped = 0;
  /** Keys of which a state was delivered whose own message is still to come, with its revision. */
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
   * The server is another one, or has begun anew with what it had saved: its numbers may be those of other messages. With
   * its next word watchers are told of a gap.
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
      // From before the count was taken, or else the server counts anew from what it had saved.
      if (elapsed() - this.#jumped > LATE_MS) this.#lost(epoch, seq);
      return;
    }
    if (seq > this.#arrived + 1) this.#lost(epoch, seq - 1);
    this.#arrived = seq;
    this.#queue.push(message);
    if (!this.#working) void this.#work();
  }

  /**
   * What the server says: the epoch, and the number of the last message it sent. What it had sent when it was asked
   * last time, and has still not arrived, is lost; `now`: what has not arrived by now is lost.
   *
   * `before`: the number that had arrived when it was asked: a smaller answer is that of a server that has lost messages.
   *
   * `false`: a message has not come although there was time: whatever it should have come through may be dead.
   */
  attend(epoch: string, seq: number, now: boolean, before: number): boolean {
    if (this.#epoch === undefined) {
      this.#epoch = epoch;
      this.#arrived = seq;
      this.#expected = seq;
      this.#jumped = elapsed();
      // Only now: what the server had sent by its answer is in what watchers then read.
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
        // Their entries could not be read, and the next message may be about others.
        if (!this.#ended) this.#lost(this.#epoch ?? "", this.#arrived);
      }
    }
    this.#working = false;
  }

  async #read(keys: readonly string[]): Promise<ReadonlyMap<string, StoredEntry | undefined>> {
    const entries = keys.length === 0 ? [] : await this.#options.read(keys);
    return new Map(keys.map((key, i) => [key, entries[i]]));
  }

  /** `undefined`: it was told already, or what comes later tells more. */
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
