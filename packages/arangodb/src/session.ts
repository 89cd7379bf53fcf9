import { SessionRevisions } from "@kv/core";
import { DeadlineClock } from "./connection/deadline-clock.ts";
import { openLinks, openSchema } from "./connection/schema.ts";
import { TIME } from "./connection/schema-queries.ts";
import { Server } from "./connection/server.ts";
import { Eraser } from "./keyspace/eraser.ts";
import { Namespaces } from "./keyspace/namespaces.ts";
import { Sweeper } from "./keyspace/sweeper.ts";
import { Tally } from "./keyspace/tally.ts";
import { LinkStore } from "./links/link-store.ts";
import type { Settings } from "./options.ts";
import { Reader } from "./read/reader.ts";
import { Scanner } from "./read/scanner.ts";
import { type Layout, layoutOf } from "./stored/layout.ts";
import { ChangeFeed } from "./watch/change-feed.ts";
import type { WriteContext } from "./write/write-context.ts";
import { WriteLanes } from "./write/write-lanes.ts";
import { WRITES } from "./write/write-queries.ts";
import { Writer } from "./write/writer.ts";

/** Random bytes before a revision's count: twelve characters. */
const REVISION_BYTES = 9;

/**
 * An opened connection and everything that works over it. Keys and documents are built and parsed in `stored/`.
 *
 * - A read is one AQL statement (`read/`) through `Server` (`connection/`), which limits requests and applies timeouts.
 * - A commit is planned (`write/`) and runs as one statement, or two if the documents must be read first, in one of the store's
 *   lanes. The statement also adds a numbered document to the log of changes, in the same transaction.
 * - A range (`read/`) is a series of statements, a page each.
 * - Operations on many keys (count, clear, sweep) are in `keyspace/`; `watch/` polls the log of changes.
 * - Links and queries (`native/`) use the same session; `links/` stores the edges.
 */
export class Session {
  readonly server: Server;
  readonly clock: DeadlineClock;
  readonly layout: Layout;
  readonly reader: Reader;
  readonly writer: Writer;
  readonly scanner: Scanner;
  readonly eraser: Eraser;
  readonly sweeper: Sweeper;
  readonly tally: Tally;
  readonly namespaces: Namespaces;
  readonly feed: ChangeFeed;

  readonly #settings: Settings;
  readonly #lanes: WriteLanes;
  #links: Promise<LinkStore> | undefined;
  #repairing: Promise<void> | undefined;

  private constructor(server: Server, settings: Settings) {
    const layout = layoutOf(settings.collection);
    const clock = new DeadlineClock(async () => (await server.query<number>(TIME.text, {}))[0] ?? Number.NaN);
    this.#settings = settings;
    this.server = server;
    this.clock = clock;
    this.layout = layout;
    this.feed = new ChangeFeed(server, layout, settings.watchInterval);
    this.#lanes = new WriteLanes(server, layout, {
      ...settings,
      written: () => this.feed.written(),
      observed: clock.observe,
    });
    const context: WriteContext = {
      server,
      layout,
      lanes: this.#lanes,
      queries: WRITES[settings.durability],
      revisions: new SessionRevisions(REVISION_BYTES),
      clock: () => clock.now(),
    };
    this.reader = new Reader(server, layout);
    this.writer = new Writer(context);
    this.scanner = new Scanner(server, layout);
    this.namespaces = new Namespaces(server, layout);
    this.eraser = new Eraser(context, this.namespaces);
    this.sweeper = new Sweeper(context);
    this.tally = new Tally(server, layout);
    server.onLost = clock.doubt;
    server.onMissing = () => {
      this.#repairing ??= this.#repair().finally(() => {
        this.#repairing = undefined;
      });
      return this.#repairing;
    };
  }

  async #repair(): Promise<void> {
    await openSchema(this.server, this.layout, { make: true });
    if (this.#links !== undefined) await openLinks(this.server, this.layout);
    this.clock.doubt();
    // Its contents are gone, and no note records that.
    this.feed.interrupted();
  }

  static async open(settings: Settings): Promise<Session> {
    const server = new Server(settings);
    try {
      await openSchema(server, layoutOf(settings.collection));
      const session = new Session(server, settings);
      await session.clock.measure();
      return session;
    } catch (error) {
      server.close();
      throw error;
    }
  }

  /** The links. Their collection is created if it does not exist. */
  links(): Promise<LinkStore> {
    this.#links ??= LinkStore.open(this.server, this.layout, this.#settings).catch((error: unknown) => {
      this.#links = undefined;
      throw error;
    });
    return this.#links;
  }

  /** Removes expired entries and obsolete documents, and measures the server's clock. Returns how many entries were removed. */
  async sweep(): Promise<number> {
    const [removed] = await Promise.all([this.sweeper.sweep(), this.clock.measure()]);
    await this.sweeper.purge();
    await this.namespaces.tidy();
    // Links whose entries are gone, if this store uses links.
    if (this.#links !== undefined) await (await this.#links).collect();
    return removed;
  }

  async close(): Promise<void> {
    this.feed.close();
    await this.#lanes.close();
    this.server.close();
  }

  /** Facts about the server. */
  async describe(): Promise<Record<string, string | number>> {
    const { server, version, license } = await this.server.ask(() => this.server.database.version());
    return { server, version, license, database: this.server.database.name, collection: this.layout.entries };
  }
}
