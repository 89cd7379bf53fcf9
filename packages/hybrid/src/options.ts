import { resolve } from "node:path";
import { type Adapter, type Duration, KvError, milliseconds, Refusal, refuseUnknownOptions } from "@kv/core";
import { type ByteSize, bytesOf } from "./byte-size.ts";

export interface HybridOptions {
  /** Keeps keys, small values, deadlines and metadata: any ordered adapter. Opened and closed with this one. */
  readonly index: Adapter;
  /** The directory of the files, made if it is missing. One directory belongs to one index. */
  readonly directory: string;
  /**
   * Values of fewer bytes stay in the index: a number of bytes, or `"64KB"`, `"1MB"`. `0`: all values go to files except
   * numbers, which the index must be able to add to. Values already stored stay where they are. Default: `"64KB"`.
   */
  readonly inlineBelow?: ByteSize | undefined;
  /**
   * What the file of a resolved write survives. `"fast"` (default): the end of the process, `kill -9` included. `"full"`:
   * also a loss of power: file and directory are fsynced before the index commits. Give the index the same durability.
   */
  readonly durability?: "fast" | "full" | undefined;
  /** `"gzip"`: files are compressed if that makes them smaller. Files of both kinds can be read. Default: false. */
  readonly compress?: "gzip" | false | undefined;
  /**
   * `"content"`: a file is named by its SHA-256, and equal values share one. `"readable"`: a folder for each key with
   * indented JSON, each write named by its time, and a link `latest`. Files of both can be read. Default: `"content"`.
   */
  readonly layout?: "content" | "readable" | undefined;
  /**
   * How long files that no entry names are kept: first in place, then as long again in quarantine. A number is seconds. Must
   * be longer than the period of latest writes that the index may lose when its machine fails. Default: `"5m"`.
   */
  readonly grace?: Duration | undefined;
  /**
   * How often files that no entry names are collected, by all processes together; sooner after 256 MB of writes.
   * `null`: only by `files(store).collect()`. A number is seconds. Default: `"1h"`.
   */
  readonly collectInterval?: Duration | null | undefined;
}

/** The options with their defaults, checked. */
export interface Settings {
  readonly index: Adapter;
  /** Absolute. */
  readonly directory: string;
  /** Bytes. */
  readonly inlineBelow: number;
  readonly durable: boolean;
  readonly gzip: boolean;
  readonly layout: "content" | "readable";
  /** Milliseconds. */
  readonly grace: number;
  /** Milliseconds; `undefined`: never. */
  readonly collectInterval: number | undefined;
}

const OPTIONS: ReadonlySet<string> = new Set([
  "index",
  "directory",
  "inlineBelow",
  "durability",
  "compress",
  "layout",
  "grace",
  "collectInterval",
]);

/** @throws KvError `KV_INVALID_OPTION` */
export function settingsOf(options: HybridOptions): Settings {
  try {
    return checked(options);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new KvError(error.code, { message: error.message, operation: "open", adapter: "hybrid" });
  }
}

function checked(options: HybridOptions): Settings {
  if (options === undefined) refuse('hybrid() needs { index: sqlite({ path }), directory: "./files" }');
  refuseUnknownOptions(options, OPTIONS, "hybrid()");
  const {
    index,
    directory,
    inlineBelow = "64KB",
    durability = "fast",
    compress = false,
    layout = "content",
    grace = "5m",
    collectInterval = "1h",
  } = options;
  demand(
    typeof index === "object" && typeof index?.commit === "function",
    "index",
    "an adapter, such as sqlite({ path }) of @kv/sqlite",
  );
  demand(
    index.capabilities.ordered,
    "index",
    "an ordered adapter, because files that no entry names could not be found otherwise",
  );
  demand(index.name !== "hybrid", "index", "an adapter that is not hybrid itself");
  demand(
    typeof directory === "string" && directory.trim() !== "" && !directory.includes("\0"),
    "directory",
    "the path of a directory",
  );
  const inlineBytes = bytesOf(inlineBelow);
  if (inlineBytes === undefined)
    return refuse('the option inlineBelow must be a number of bytes, or a size such as "64KB"');
  demand(durability === "fast" || durability === "full", "durability", '"fast" or "full"');
  demand(compress === "gzip" || compress === false, "compress", '"gzip" or false');
  demand(layout === "content" || layout === "readable", "layout", '"content" or "readable"');
  return {
    index,
    directory: resolve(directory),
    inlineBelow: inlineBytes,
    durable: durability === "full",
    gzip: compress === "gzip",
    layout,
    grace: durationOf(grace, "grace"),
    collectInterval: collectInterval === null ? undefined : durationOf(collectInterval, "collectInterval"),
  };
}

/** A duration in milliseconds. @throws Refusal `KV_INVALID_OPTION` */
export function durationOf(duration: Duration, option: string): number {
  try {
    return milliseconds(duration);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return refuse(`the option ${option}: ${error.message}`);
  }
}

export function demand(holds: boolean, option: string, kind: string): void {
  if (!holds) refuse(`the option ${option} must be ${kind}`);
}

function refuse(message: string): never {
  throw new Refusal("KV_INVALID_OPTION", message);
}
