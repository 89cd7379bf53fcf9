import { ChangeFeed } from "./change-feed.ts";
import { type Layout, layoutOf } from "./layout.ts";
import { LinkStore } from "./link-store.ts";
import { Namespaces } from "./namespaces.ts";
import type { Settings } from "./options.ts";
import { Reader } from "./reader.ts";
import { Revisions } from "./revision.ts";
import { Scanner } from "./scanner.ts";
import { openLinks, openSchema } from "./schema.ts";
import { Server } from "./server.ts";
import { Sweeper } from "./sweeper.ts";
import { Tally } from "./tally.ts";
import type { WriteContext } from "./write-context.ts";
import { WriteLanes } from "./write-lanes.ts";
import { WRITES } from "./write-queries.ts";
import { Writer } from "./writer.ts";

/** Milliseconds by which clocks may differ without anybody minding. */
const TOLERANCE_MS = 100;

/** An opened connection and all that works over it. */
export class Session {
  readonly server: Server;
  readonly layout: Layout;
  readonly reader: Reader;
  readonly writer: Writer;
  readonly scanner: Scanner;
  readonly sweeper: Sweeper;
  readonly tally: Tally;
  readonly namespaces: Namespaces;
  readonly feed: ChangeFeed;
  /** Milliseconds that the server's clock is ahead of ours. */
  readonly ahead: number;

  readonly #settings: Settings;
  #links: Promise<LinkStore> | undefined;
  #repairing: Promise<void> | undefined;

  private constructor(server: Server, settings: Settings, clock: () => number, ahead: number) {
    const layout = layoutOf(settings.collection);
    this.#settings = settings;
    this.server = server;
    this.layout = layout;
    this.ahead = ahead;
    this.feed = new ChangeFeed(server, layout, settings.watchInterval);
    const { busyTimeout } = settings;
    const lanes = new WriteLanes(server, layout, { busyTimeout, written: () => this.feed.written() });
    const queries = WRITES[settings.durability];
    const context: WriteContext = {
      server,
      layout,
      lanes,
      queries,
      revisions: new Revisions(),
      clock,
      busyTimeout,
    };
    this.reader = new Reader(server, layout);
    this.writer = new Writer(context);
    this.scanner = new Scanner(server, layout);
    this.namespaces = new Namespaces(server, layout);
    this.sweeper = new Sweeper(context, this.namespaces);
    this.tally = new Tally(server, layout);
    server.onMissing = () => {
      this.#repairing ??= this.#repair().finally(() => {
        this.#repairing = undefined;
      });
      return this.#repairing;
    };
  }

  async #repair(): Promise<void> {
    await openSchema(this.server, this.layout);
    if (this.#links !== undefined) await openLinks(this.server, this.layout);
    // What was in it is gone, and nobody has noted it.
    this.feed.interrupted();
  }

  static async open(settings: Settings, clock: () => number): Promise<Session> {
    const server = new Server(settings);
    try {
      const ahead = await openSchema(server, layoutOf(settings.collection));
      return new Session(server, settings, clock, Math.abs(ahead) > TOLERANCE_MS ? ahead : 0);
    } catch (error) {
      server.close();
      throw error;
    }
  }

  /** The links, whose collection is made where it does not exist. */
  links(): Promise<LinkStore> {
    this.#links ??= LinkStore.open(this.server, this.layout, this.#settings.busyTimeout).catch(
      (error: unknown) => {
        this.#links = undefined;
        throw error;
      },
    );
    return this.#links;
  }

  /** Takes out links whose entries are gone, where links are used. */
  async collectLinks(): Promise<void> {
    if (this.#links !== undefined) await (await this.#links).collect();
  }

  close(): void {
    this.feed.close();
    this.server.close();
  }

  /** Facts about the server. */
  async describe(): Promise<Record<string, string | number>> {
    const { server, version, license } = await this.server.ask(() => this.server.database.version());
    return { server, version, license, database: this.server.database.name, collection: this.layout.entries };
  }
}
