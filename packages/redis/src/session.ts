import { Refusal } from "@kv/core";
import type { Agreement } from "./agreement.ts";
import { ChangeFeed } from "./change-feed.ts";
import { databaseOf } from "./clients.ts";
import { Collector } from "./collector.ts";
import { Layout } from "./layout.ts";
import { Link } from "./link.ts";
import { Namespaces } from "./namespaces.ts";
import type { Settings } from "./options.ts";
import { Reader } from "./reader.ts";
import { Revisions } from "./revision.ts";
import { Scanner } from "./scanner.ts";
import { Sweeper } from "./sweeper.ts";
import { Tally } from "./tally.ts";
import { Target } from "./target.ts";
import { Unordered } from "./unordered.ts";
import { Writer } from "./writer.ts";

/** The oldest server that has all the commands. */
const OLDEST = [6, 2] as const;
/** Milliseconds by which clocks may differ without anybody minding. */
const TOLERANCE_MS = 100;
/** What INFO is asked for, and what of it is told. */
const FACTS = ["redis_version", "valkey_version", "redis_mode", "maxmemory", "maxmemory_policy"];

/** An opened connection and all that works over it. */
export class Session {
  readonly reader: Reader;
  readonly writer: Writer;
  readonly scanner: Scanner;
  readonly sweeper: Sweeper;
  readonly tally: Tally;
  readonly namespaces: Namespaces;
  readonly unordered: Unordered;
  readonly feed: ChangeFeed;
  readonly agreement: Agreement;
  readonly #link: Link;
  /** Milliseconds that the server's clock is ahead of ours. */
  ahead = 0;

  private constructor(link: Link, settings: Settings, clock: () => number) {
    const layout = new Layout({ ...settings, db: databaseOf(link.client) });
    const target = new Target(link, layout, new Revisions(), clock);
    const collector = new Collector(target);
    this.#link = link;
    this.agreement = target.agreement;
    this.reader = new Reader(link, layout);
    this.writer = new Writer(target);
    this.scanner = new Scanner(link, layout, this.reader);
    this.namespaces = new Namespaces(link, layout, collector);
    this.sweeper = new Sweeper(target, this.scanner, this.namespaces, collector);
    this.tally = new Tally(link, layout, this.scanner, collector);
    this.unordered = new Unordered(target, this.namespaces, this.reader);
    this.feed = new ChangeFeed(link, layout, settings.busyTimeout);
  }

  static async open(settings: Settings, clock: () => number): Promise<Session> {
    const link = new Link(settings);
    await link.open();
    try {
      const session = new Session(link, settings, clock);
      await Promise.all([session.agreement.reach(), session.#assertVersion(), session.#readClock()]);
      return session;
    } catch (error) {
      link.close();
      throw error;
    }
  }

  close(): void {
    this.feed.close();
    this.#link.close();
  }

  /** Facts about the server. */
  async describe(): Promise<Record<string, string | number>> {
    const info = await this.#info("everything");
    const facts: Record<string, string | number> = {};
    for (const name of FACTS) {
      const value = info.get(name);
      if (value !== undefined) facts[name] = /^\d+$/.test(value) ? Number(value) : value;
    }
    return facts;
  }

  async #info(section: string): Promise<ReadonlyMap<string, string>> {
    const text = String(await this.#link.call("info", [section]));
    return new Map(
      text.split("\r\n").map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1)];
      }),
    );
  }

  async #assertVersion(): Promise<void> {
    // Whoever may not ask is trusted to know.
    const info = await this.#info("server").catch(() => new Map<string, string>());
    const version = info.get("redis_version");
    if (version === undefined) return;
    const [major = 0, minor = 0] = version.split(".").map(Number);
    if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
    throw new Refusal(
      "KV_UNSUPPORTED",
      `the server is Redis ${version}, and ${OLDEST.join(".")} or newer is needed`,
    );
  }

  async #readClock(): Promise<void> {
    const asked = Date.now();
    const [seconds, microseconds] = (await this.#link.call("time", [])) as Buffer[];
    const ours = (asked + Date.now()) / 2;
    const ahead = Math.round(Number(seconds) * 1000 + Number(microseconds) / 1000 - ours);
    this.ahead = Math.abs(ahead) > TOLERANCE_MS + (Date.now() - asked) ? ahead : 0;
  }
}
