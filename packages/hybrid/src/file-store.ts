import { Directory } from "./directory/directory.ts";
import type { Settings } from "./options.ts";
import { EntryResolver } from "./read/entry-resolver.ts";
import { FileReader } from "./read/file-reader.ts";
import { namesFiles } from "./stored/file-entries.ts";
import { Collector, type CollectReport } from "./upkeep/collector.ts";
import { Verifier } from "./upkeep/verifier.ts";
import { Committer } from "./write/committer.ts";
import { FileWriter } from "./write/file-writer.ts";

/** After this process has written this many bytes of files since the last collection, the next one is due. */
const MUCH = 256 * 2 ** 20;

/** The files of one adapter, which `files(store)` uses. */
export class FileStore {
  readonly settings: Settings;
  readonly directory: Directory;
  readonly reader: FileReader;
  readonly writer: FileWriter;
  readonly resolver: EntryResolver;
  readonly committer: Committer;
  readonly verifier: Verifier;
  #collector: Collector;
  /** Bytes of files written since the last collection. */
  #written = 0;
  #collecting = false;

  constructor(settings: Settings) {
    const { index, directory, durable } = settings;
    this.settings = settings;
    this.directory = new Directory(directory, durable);
    this.reader = new FileReader(this.directory);
    this.writer = new FileWriter(this.directory, settings);
    this.resolver = new EntryResolver(index, this.reader, directory);
    this.committer = new Committer(this.directory, this.writer, settings, (bytes) => {
      this.#written += bytes;
    });
    this.verifier = new Verifier(index, this.directory, this.reader, this.resolver);
    this.#collector = new Collector(index, this.directory, settings.grace);
  }

  /** Called when the index is open. */
  async open(): Promise<void> {
    const { index, grace } = this.settings;
    await this.directory.prepare(() => namesFiles(index));
    this.#collector = new Collector(index, this.directory, grace);
  }

  async close(): Promise<void> {
    await this.#collector.stop();
    await this.directory.close();
  }

  collect(grace: number): Promise<CollectReport> {
    this.#written = 0;
    return this.#collector.collect(grace);
  }

  /** Runs in the background. A failure is ignored: the next collection does the work. */
  collectIfDue(): void {
    if (this.#collecting || this.settings.collectInterval === undefined) return;
    this.#collecting = true;
    this.#collectIfDue(this.settings.collectInterval)
      .catch(() => undefined)
      .finally(() => {
        this.#collecting = false;
      });
  }

  async #collectIfDue(interval: number): Promise<void> {
    const due = this.#written >= MUCH || (await this.directory.sinceCollected()) >= interval;
    if (!due) return;
    this.#written = 0;
    await this.#collector.collect(this.settings.grace, true);
  }
}
