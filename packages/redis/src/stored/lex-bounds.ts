import type { Bounds } from "@kv/core";

/** Bounds as ZRANGEBYLEX takes them. */
export function lexBounds({ start, end }: Bounds): [least: string, most: string] {
  return [start === "" ? "-" : `[${start}`, end === undefined ? "+" : `(${end}`];
}
