import { type Bounds, inBounds } from "@kv/core";
import type { Cell, Keyspace } from "../stored/keyspace.ts";

export interface Tally {
  readonly keys: number;
  readonly expiring: number;
  readonly evictable: number;
  readonly bytes: number;
}

/** The number of live entries within the bounds, given the keyspace's due cells. */
export function liveCount(keyspace: Keyspace, bounds: Bounds, due: readonly Cell[]): number {
  let count = keyspace.order.count(bounds);
  for (const { key } of due) if (inBounds(key, bounds)) count -= 1;
  return count;
}

/** The statistics of the live entries within the bounds, given the keyspace's due cells. */
export function tallyOf(keyspace: Keyspace, bounds: Bounds, due: readonly Cell[]): Tally {
  if (bounds.start === "" && bounds.end === undefined) {
    const dead = tallyCells(due);
    return {
      keys: keyspace.size - dead.keys,
      expiring: keyspace.expiring - dead.expiring,
      evictable: keyspace.evictable - dead.evictable,
      bytes: keyspace.bytes - dead.bytes,
    };
  }
  const dead = new Set(due);
  const live: Cell[] = [];
  keyspace.order.visit(bounds, false, (cell) => {
    if (!dead.has(cell)) live.push(cell);
    return true;
  });
  return tallyCells(live);
}

function tallyCells(cells: readonly Cell[]): Tally {
  let expiring = 0;
  let evictable = 0;
  let bytes = 0;
  for (const { entry } of cells) {
    if (entry.due !== undefined) expiring += 1;
    if (entry.policy === "evict") evictable += 1;
    bytes += entry.size ?? 0;
  }
  return { keys: cells.length, expiring, evictable, bytes };
}
