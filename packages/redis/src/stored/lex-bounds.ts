import type { Bounds } from "@kv/core";

/** Bounds in the notation of ZRANGEBYLEX. */
export function lexBounds({ start, end }: Bounds): [least: string, most: string] {
  return [start === "" ? "-" : `[${start}`, end === undefined ? "+" : `(${end}`];
}
