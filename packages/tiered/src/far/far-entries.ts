import { type Adapter, after, forward, type Pages, type StoredEntry } from "@kv/core";
import { CarriedEntry, isHeader } from "../near/carried-entry.ts";

/**
 * The far tier of a write-behind adapter, for reading. An entry is written there later than it was acknowledged, so the
 * revision and the times of the acknowledged write are in its header (see `headerOf`).
 *
 * Only expiries (and `resync`) are reported to watchers: this process has reported its own writes already.
 */
export function farEntries(far: Adapter): Adapter {
  const watch = far.watch?.bind(far);
  return forward(far, {
    read: (namespace, keys, payloadsOnly) =>
      after(far.read(namespace, keys, payloadsOnly), (entries) =>
        payloadsOnly === true ? entries : entries.map((entry) => entry && asWritten(entry)),
      ),
    scan(namespace, range) {
      const pages = far.scan(namespace, range);
      return range.keysOnly || range.payloadsOnly === true ? pages : asWrittenPages(pages);
    },
    ...(watch === undefined
      ? undefined
      : {
          watch: (namespace, bounds, listener) =>
            watch(namespace, bounds, (changes) => {
              const theirs = changes.filter(({ type }) => type === "expire" || type === "resync");
              if (theirs.length > 0) listener(theirs);
            }),
        }),
  } satisfies Partial<Adapter>);
}

/** The entry as it was acknowledged. An entry that this adapter did not write is returned unchanged. */
export function asWritten(entry: StoredEntry): StoredEntry {
  try {
    return isHeader(entry.user) ? new CarriedEntry(entry, entry.user) : entry;
  } catch {
    // A corrupt entry, which throws when its fields are read.
    return entry;
  }
}

async function* asWrittenPages(
  pages: Pages<StoredEntry>,
): AsyncGenerator<readonly StoredEntry[], void, undefined> {
  for await (const page of pages) yield page.map(asWritten);
}
