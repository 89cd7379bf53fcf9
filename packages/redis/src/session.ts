import { SessionRevisions } from "@kv/core";
import { Link } from "./connection/link.ts";
import { Eraser } from "./keyspace/eraser.ts";
import { Evictions } from "./keyspace/evictions.ts";
import { Collector } from "./keyspace/expired-keys.ts";
import { Namespaces } from "./keyspace/namespaces.ts";
import { ServerFacts } from "./keyspace/server-facts.ts";
import { Sweeper } from "./keyspace/sweeper.ts";
import { Tally } from "./keyspace/tally.ts";
import { Unordered } from "./keyspace/unordered-store.ts";
import type { Settings } from "./options.ts";
import { Reader } from "./read/reader.ts";
import { Scanner } from "./read/scanner.ts";
import { Layout } from "./stored/layout.ts";
import { ChangeFeed } from "./watch/change-feed.ts";
import type { Agreement } from "./write/layout-descriptor.ts";
import { Target } from "./write/script-target.ts";
import { Writer } from "./write/writer.ts";

/** Random bytes before a revision's count: together they fill the characters that an entry has for it. */
const REVISION_BYTES = 6;

/**
 * An opened connection and everything that works over it. The names of keys come from `stored/` in each case.
 *
 * - A read is one MGET (`read/`) through the link (`connection/`); `stored/` parses an entry when a field is asked for.
 * - A commit becomes a batch (`write/`), which runs one Lua script (`scripts/`). The script changes entries, indexes and
 *   the message to watchers together. The link never repeats a write whose answer was lost.
 * - A range (`read/`) pages through the index with ZRANGEBYLEX, then reads each page's entries with MGET.
 * - Operations on many keys (count, clear, sweep) are in `keyspace/`, and changes arrive in `watch/`.
 */
export class Session {
  readonly reader: Reader;
  readonly writer: Writer;
  readonly scanner: Scanner;
  readonly eraser: Eraser;
  readonly sweeper: Sweeper;
  readonly tally: Tally;
  readonly namespaces: Namespaces;
  readonly unordered: Unordered;
  readonly feed: ChangeFeed;
  readonly agreement: Agreement;
  readonly facts: ServerFacts;
  readonly #link: Link;
  readonly #target: Target;

  private constructor(link: Link, settings: Settings) {
    const layout = new Layout({ ...settings, db: link.db });
    const target = new Target(link, layout, new SessionRevisions(REVISION_BYTES), link.clock.now);
    const collector = new Collector(target);
    this.#link = link;
    this.#target = target;
    this.facts = new ServerFacts(link);
    this.agreement = target.agreement;
    this.reader = new Reader(link, layout);
    this.writer = new Writer(target);
    this.scanner = new Scanner(link, layout, this.reader);
    this.namespaces = new Namespaces(link, layout, collector);
    this.eraser = new Eraser(target, this.scanner, this.namespaces);
    this.sweeper = new Sweeper(this.namespaces, collector, new Evictions(target, this.scanner, this.facts));
    this.tally = new Tally(link, layout, this.scanner, collector);
    this.unordered = new Unordered(target, this.reader);
    this.feed = new ChangeFeed(link, layout, settings.busyTimeout, {
      expire: (space) => collector.collect(space),
      identify: () => this.facts.runId(),
    });
  }

  static async open(settings: Settings): Promise<Session> {
    const link = new Link(settings);
    await link.open();
    try {
      const session = new Session(link, settings);
      await session.#meet(settings.ordered);
      return session;
    } catch (error) {
      link.close();
      throw error;
    }
  }

  /** @throws Refusal if the server is unsuitable, or the data are laid out with other options */
  async #meet(ordered: boolean): Promise<void> {
    const [longest] = await Promise.all([
      this.facts.longestString(),
      this.facts.assertVersion(),
      ordered ? this.facts.assertKeepsIndex() : undefined,
    ]);
    await this.agreement.reach();
    this.#target.capacity.limit(longest);
  }

  /** The server's time. */
  now(): number {
    return this.#link.clock.now();
  }

  /** Asks for the server's time. */
  measureClock(): Promise<void> {
    return this.#link.clock.measure();
  }

  /** Corrects `now` if it may be wrong; `undefined`: it is right. */
  syncClock(): Promise<void> | undefined {
    return this.#link.syncClock();
  }

  close(): void {
    this.feed.close();
    this.#link.close();
  }
}
