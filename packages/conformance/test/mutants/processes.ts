import { type Adapter, applied, forward, type StoredEntry } from "@kv/core";
import { memory } from "@kv/memory";
import type { Setup } from "../../src/suite/harness.ts";
import type { Mutant } from "./mutant.ts";

/** The data that outlive an adapter: entries, and the counter of revisions. */
interface Disk {
  revision: number;
  rows: Map<string, StoredEntry>;
}

/** What a backend could do wrong with data that outlive it: restored, or opened twice. */
export const processMutants: readonly Mutant[] = [
  {
    title: "lets a second opener in, to data that only one may have",
    caughtBy:
      "durability and processes › a second opener of data that only one process may have is KV_UNAVAILABLE, until the first has closed",
    setup: counting,
  },
  {
    title: "counts revisions from a number that is kept with the data",
    caughtBy:
      "durability and processes › a revision that a restore has lost is not given out again, and matches nothing",
    setup: counting,
  },
];

function counting(clock: () => number): Setup {
  let disk: Disk = { revision: 0, rows: new Map() };
  const open = () => onDisk(() => disk, clock);
  return {
    adapter: open(),
    reopen: open,
    backup() {
      const copy: Disk = { revision: disk.revision, rows: new Map(disk.rows) };
      return () => {
        disk = copy;
      };
    },
  };
}

function onDisk(disk: () => Disk, clock: () => number): Adapter {
  const inner = memory({ clock });
  return forward(inner, {
    capabilities: { ...inner.capabilities, persistent: true },
    read: (_, keys) => keys.map((key) => disk().rows.get(key)),
    commit: (_, commits) =>
      commits.map((commit) => {
        const { rows } = disk();
        const { result, changes } = applied(commit, {
          form: inner.form,
          now: clock,
          revision: () => String(++disk().revision),
          find: (key) => rows.get(key),
        });
        for (const [key, entry] of changes) {
          if (entry === undefined) rows.delete(key);
          else rows.set(key, entry);
        }
        return result;
      }),
  });
}
