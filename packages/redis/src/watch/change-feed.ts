import { randomUUID } from "node:crypto";
import {
  type Bounds,
  backgroundInterval,
  type ChangeListener,
  type Namespace,
  Refusal,
  type StoredChange,
  timer,
  Watchers,
} from "@kv/core";
import { type Client, subscriberLike } from "../connection/clients.ts";
import type { Link } from "../connection/link.ts";
import { ServerIdentity } from "../connection/server-identity.ts";
import { Reader } from "../read/reader.ts";
import { ATTEND } from "../scripts/attend-script.ts";
import type { Layout, Space } from "../stored/layout.ts";
import { ChangeChannel } from "./change-channel.ts";
import { WatchLink } from "./watcher-connection.ts";

/** Milliseconds between two signs of life. A lost message is noticed within two of them. */
const SIGN_MS = 1000;
/** Milliseconds that a sign of life lasts: writers publish for that long. */
const LASTS_MS = "10000";

/** Changes that arrive while a watcher joins, before it is known which of them come after it. */
interface Joining {
  readonly tag: string;
  readonly seq: number;
  readonly changes: readonly StoredChange[];
}

/** Other calls to the server that a feed needs. */
export interface FeedEnds {
  /** Removes expired entries of a space. */
  readonly expire: (space: Space) => Promise<unknown>;
  /** Returns what differs for every start of every server; `undefined`: not reported. */
  readonly identify: () => Promise<string | undefined>;
}

interface Watched {
  readonly namespace: Namespace;
  readonly channels: readonly ChangeChannel[];
  users: number;
  readonly joined: Promise<void>;
}

/**
 * Reports every process's changes to this process's watchers. Writers publish only while a watcher gives signs of life. Each
 * sign also returns the number of the last message, so that a lost one (a reconnect, an overrun buffer, a failed node) is
 * noticed even if no other follows.
 */
export class ChangeFeed {
  readonly #link: Link;
  readonly #layout: Layout;
  readonly #watchLink: WatchLink;
  readonly #patience: number;
  readonly #watchers = new Watchers();
  readonly #watched = new Map<string, Watched>();
  readonly #byChannel = new Map<string, ChangeChannel>();
  /** How many connections messages have come through. */
  #connections = 0;
  /** Channels with a sign of life in progress, and the connection at its beginning. */
  readonly #asking = new Map<ChangeChannel, number>();
  /** The connection at the beginning of each channel's last answered sign of life. */
  readonly #asked = new WeakMap<ChangeChannel, number>();
  /** The message that is being delivered. */
  #telling: { readonly tag: string; readonly seq: number } = { tag: "", seq: 0 };
  /** The tags of the spaces in which expired entries are about to be removed. */
  readonly #expiring = new Set<string>();
  readonly #ends: FeedEnds;
  readonly #identity: ServerIdentity;
  #subscriber: Client | undefined;
  #stopSigns: (() => void) | undefined;

  constructor(link: Link, layout: Layout, patience: number, ends: FeedEnds) {
    this.#link = link;
    this.#ends = ends;
    this.#identity = new ServerIdentity(ends.identify);
    this.#layout = layout;
    this.#watchLink = new WatchLink(link, patience);
    this.#patience = patience;
  }

  async watch(namespace: Namespace, bounds: Bounds, listener: ChangeListener): Promise<() => void> {
    const watched = this.#join(namespace);
    watched.users++;
    let early: Joining[] | undefined = [];
    const since = new Map<string, number>();
    const end = this.#watchers.add(namespace, bounds, (changes) => {
      const { tag, seq } = this.#telling;
      if (early !== undefined) early.push({ tag, seq, changes });
      else if (seq > (since.get(tag) ?? 0) || changes[0]?.type === "resync") listener(changes);
    });
    let ended = false;
    const leave = () => {
      if (ended) return;
      ended = true;
      end();
      watched.users--;
      if (watched.users === 0) this.#leave(watched);
    };
    try {
      await this.#inTime(watched.joined);
      // Earlier changes are not for this watcher.
      for (const { space } of watched.channels) since.set(space.tag, (await this.#attend(space)).seq);
    } catch (error) {
      leave();
      throw error;
    }
    const held = early;
    early = undefined;
    for (const { tag, seq, changes } of held) if (seq > (since.get(tag) ?? 0)) listener(changes);
    return leave;
  }

  /** Ends everything. */
  close(): void {
    for (const watched of this.#watched.values()) for (const channel of watched.channels) channel.end();
    this.#watched.clear();
    this.#byChannel.clear();
    this.#stop();
  }

  #join(namespace: Namespace): Watched {
    const known = this.#watched.get(namespace.id);
    if (known !== undefined) return known;
    const channels = this.#layout.spaces(namespace).map(
      (space) =>
        new ChangeChannel(space, {
          read: (keys) => this.#watchLink.ask((link) => new Reader(link, this.#layout).within(space, keys)),
          publish: (changes, seq) => {
            if (changes.length === 0) return;
            this.#telling = { tag: space.tag, seq };
            this.#watchers.publish(namespace.id, changes);
          },
        }),
    );
    for (const channel of channels) this.#byChannel.set(channel.space.channel, channel);
    const joined = this.#subscribe(channels);
    const watched = { namespace, channels, users: 0, joined };
    this.#watched.set(namespace.id, watched);
    this.#stopSigns ??= backgroundInterval(() => void this.#signOfLife(), SIGN_MS);
    return watched;
  }

  async #subscribe(channels: readonly ChangeChannel[]): Promise<void> {
    const subscriber = this.#listen();
    await subscriber.subscribe(...channels.map(({ space }) => space.channel)).catch((error: unknown) => {
      throw this.#link.explained(error);
    });
    await Promise.all(channels.map((channel) => this.#ask(channel)));
  }

  #listen(): Client {
    if (this.#subscriber !== undefined && this.#subscriber.status !== "end") return this.#subscriber;
    const subscriber = subscriberLike(this.#link.client, this.#link.silenceLimit);
    // It reconnects by itself; the next sign of life finds what was missed meanwhile.
    subscriber.on("error", () => undefined);
    subscriber.on("message", (name: string, text: string) => {
      // Messages from a replaced subscriber come too late.
      if (subscriber === this.#subscriber) this.#byChannel.get(name)?.receive(text);
    });
    let before = false;
    subscriber.on("ready", () => {
      if (before && subscriber === this.#subscriber) void this.#again(subscriber);
      before = true;
    });
    this.#subscriber = subscriber;
    subscriber.connect().catch(() => undefined);
    return subscriber;
  }

  /** Runs after the subscriber has reconnected. */
  async #again(subscriber: Client): Promise<void> {
    try {
      if (this.#byChannel.size > 0) await subscriber.subscribe(...this.#byChannel.keys());
      this.#connections++;
      await this.#signOfLife();
    } catch {
      // The subscriber was disconnected again.
    }
  }

  /** Replaces a subscriber that seems connected but delivers nothing, because its other end vanished. */
  #renew(): void {
    if (this.#subscriber?.status !== "ready") return;
    this.#subscriber.disconnect();
    this.#subscriber = undefined;
    void this.#again(this.#listen());
  }

  async #signOfLife(): Promise<void> {
    const subscriber = this.#subscriber;
    if (subscriber?.status === "end") {
      // It gave up, as the options of a handed-in client may require; there are still watchers.
      await this.#again(this.#listen());
      return;
    }
    const channels = [...this.#byChannel.values()].filter(
      (channel) => this.#asking.get(channel) !== this.#connections,
    );
    // If this fails, the next sign of life repeats it.
    await Promise.allSettled(channels.map((channel) => this.#ask(channel)));
  }

  async #ask(channel: ChangeChannel): Promise<void> {
    const connection = this.#connections;
    this.#asking.set(channel, connection);
    try {
      // Messages that an earlier connection did not deliver will not arrive any more.
      const isFirst = this.#asked.get(channel) !== connection;
      if (isFirst && (await this.#identity.hasChanged(connection))) channel.restart();
      const before = channel.arrived;
      const { epoch, seq } = await this.#attend(channel.space);
      const inTime = channel.attend(epoch, seq, isFirst, before);
      // The connection was replaced meanwhile, and its last messages may have come too late for this answer.
      if (connection !== this.#connections) return;
      this.#asked.set(channel, connection);
      if (!inTime) this.#renew();
    } finally {
      if (this.#asking.get(channel) === connection) this.#asking.delete(channel);
    }
  }

  async #attend(space: Space): Promise<{ epoch: string; seq: number }> {
    const { state, seq, due } = space;
    const reply = (await this.#watchLink.ask((link) =>
      link.query(ATTEND, [state, seq, due], [LASTS_MS, randomUUID(), String(SIGN_MS)]),
    )) as Buffer[];
    const next = String(reply[2]);
    if (next !== "") this.#expireSoon(space, Number(next));
    return { epoch: String(reply[0]), seq: Number(reply[1]) };
  }

  /** Removes entries that expire before the next sign of life, which also reports them to watchers. */
  #expireSoon(space: Space, ms: number): void {
    if (this.#expiring.has(space.tag)) return;
    this.#expiring.add(space.tag);
    const done = () => void this.#expiring.delete(space.tag);
    // If this fails, the next sign of life schedules it again.
    const expire = () => void this.#ends.expire(space).then(done, done);
    timer(expire, Math.max(0, ms) + 1).hold(false);
  }

  #leave(watched: Watched): void {
    if (this.#watched.get(watched.namespace.id) !== watched) return;
    this.#watched.delete(watched.namespace.id);
    for (const channel of watched.channels) {
      channel.end();
      this.#byChannel.delete(channel.space.channel);
    }
    if (this.#watched.size === 0) this.#stop();
    else {
      const names = watched.channels.map(({ space }) => space.channel);
      this.#subscriber?.unsubscribe(...names).catch(() => undefined);
    }
  }

  #stop(): void {
    this.#stopSigns?.();
    this.#stopSigns = undefined;
    this.#subscriber?.disconnect();
    this.#subscriber = undefined;
    this.#watchLink.close();
  }

  /** The promise, or a refusal if it takes too long. */
  async #inTime(promise: Promise<void>): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const limit = timer(
      () =>
        reject(
          new Refusal(
            "KV_UNAVAILABLE",
            `the server did not confirm a subscription within ${this.#patience} ms; check its load and the network`,
          ),
        ),
      this.#patience,
    );
    try {
      await Promise.race([promise, late]);
    } finally {
      limit.cancel();
    }
  }
}
