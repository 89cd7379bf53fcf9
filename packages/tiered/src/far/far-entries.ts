import { type Adapter, after, forward, type Pages, type StoredEntry } from "@kv/core";
import { CarriedEntry, isHeader } from "../near/carried-entry.ts";

/**
 * The far tier of a write-behind adapter as it is read: an entry was written there later than it was acknowledged, and
 * has the revision and the times of the acknowledged write in its header (see `headerOf`).
 *
 * Of its changes only those are told that nobody here made: what expired. The rest this process has told already.
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

/** The entry as it was acknowledged. One that was never written here is as it is. */
export function asWritten(entry: StoredEntry): StoredEntry {
  try {
    return isHeader(entry.user) ? new CarriedEntry(entry, entry.user) : entry;
  } catch {
    // An altered entry, which says so to whoever asks for its fields.
    return entry;
  }
}

async function* asWrittenPages(
  pages: Pages<StoredEntry>,
): AsyncGenerator<readonly StoredEntry[], void, undefined> {
  for await (const page of pages) yield page.map(asWritten);
}
