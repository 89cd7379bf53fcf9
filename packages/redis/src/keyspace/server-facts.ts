import { isError, Refusal } from "@kv/core";
import type { Redis } from "ioredis";
import { isCluster } from "../connection/clients.ts";
import type { Link } from "../connection/link.ts";

/** The oldest version that has all the commands. */
const OLDEST = [6, 2] as const;
/** The facts about the server that `stats()` reports. */
const REPORTED = ["redis_version", "valkey_version", "redis_mode", "maxmemory", "maxmemory_policy"];
/** Bytes of the longest string by default, and if the server does not report its setting. */
const DEFAULT_LONGEST = 512 * 1024 * 1024;

type Info = ReadonlyMap<string, string>;
const NOTHING: Info = new Map();

/** Facts that the server reports about itself. A user without permission to ask is still served, as far as possible. */
export class ServerFacts {
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  /** Facts for `stats()`; none if INFO is not permitted. */
  async report(): Promise<Record<string, string | number>> {
    const info = await this.#info("everything");
    const facts: Record<string, string | number> = {};
    for (const name of REPORTED) {
      const value = info.get(name);
      if (value !== undefined) facts[name] = /^\d+$/.test(value) ? Number(value) : value;
    }
    return facts;
  }

  /** @throws Refusal `KV_UNSUPPORTED` */
  async assertVersion(): Promise<void> {
    const version = (await this.#info("server")).get("redis_version");
    if (version === undefined) return;
    const [major = 0, minor = 0] = version.split(".").map(Number);
    if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
    throw new Refusal(
      "KV_UNSUPPORTED",
      `the server is Redis ${version}; use version ${OLDEST.join(".")} or newer`,
    );
  }

  /** @throws Refusal `KV_UNSUPPORTED` if the server may evict the index of keys, without which ranges lack entries */
  async assertKeepsIndex(): Promise<void> {
    const info = await this.#info("memory");
    const policy = info.get("maxmemory_policy") ?? "";
    if (!policy.startsWith("allkeys-") || info.get("maxmemory") === "0") return;
    throw new Refusal(
      "KV_UNSUPPORTED",
      `the server evicts any key when its memory is full (maxmemory-policy ${policy}), even the index that ranges are read from; set maxmemory-policy to noeviction or to a volatile- policy, or open the store with ordered: false`,
    );
  }

  /** The most bytes that a string may have. */
  async longestString(): Promise<number> {
    const reply = await this.#link.call("CONFIG", ["GET", "proto-max-bulk-len"]).catch(() => undefined);
    if (typeof reply !== "object" || reply === null) return DEFAULT_LONGEST;
    const value: unknown = Array.isArray(reply) ? reply[1] : Object.values(reply)[0];
    const longest = Number(String(value));
    return Number.isSafeInteger(longest) && longest > 0 ? longest : DEFAULT_LONGEST;
  }

  /** A text that changes whenever the server evicts something; `undefined`: not reported. `"none"`: nothing was evicted. */
  async evictions(): Promise<string | undefined> {
    const { client } = this.#link;
    const nodes = isCluster(client) ? client.nodes("master") : [undefined];
    const counts = await Promise.all(
      nodes.map(async (node) => {
        const info = await this.#info("everything", node);
        return { run: info.get("run_id"), evicted: info.get("evicted_keys") };
      }),
    );
    if (counts.some(({ evicted }) => evicted === undefined)) return undefined;
    if (counts.every(({ evicted }) => evicted === "0")) return "none";
    return counts.map(({ run, evicted }) => `${run}:${evicted}`).join(" ");
  }

  /** A text that differs for every start of every server; `undefined`: not reported, or there are several servers. */
  async runId(): Promise<string | undefined> {
    return this.#link.isCluster ? undefined : (await this.#info("server")).get("run_id");
  }

  async #info(section: string, node?: Redis): Promise<Info> {
    let text: string;
    try {
      text = String(await this.#link.call("INFO", [section], node));
    } catch (error) {
      if (!isForbidden(error)) throw error;
      return NOTHING;
    }
    return new Map(
      text.split("\r\n").map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1)];
      }),
    );
  }
}

/** Whether the server does not permit a command, or does not have it. */
function isForbidden(error: unknown): boolean {
  return isError(error) && /NOPERM|(unknown|unsupported) command/i.test(error.message);
}
