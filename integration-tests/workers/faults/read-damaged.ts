/**
 * Reads damaged databases, each whose directory it is told by a line on standard input, and prints what came of it as
 * one line of JSON. In a process of its own, because a crash of a driver would take the tests along.
 */

import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";
import { createStore, KvError, type Store } from "@kv/core";
import { ENTRIES, keyOf, metadataOf, REWRITTEN, valueUnder } from "./damaged-data.ts";
import { persistentAdapter } from "./persistent-adapter.ts";

/** What all reads of one damaged database came to: how often each answer was given. */
export interface Findings {
  /** The first error of each code. */
  messages: Record<string, string>;
  /** It could not be opened, and nothing was read. */
  unopened: boolean;
  right: number;
  /** Reads that were refused, by code. */
  refused: Record<string, number>;
  /** Entries that are said not to be there. */
  absent: number;
  /** Values that were rewritten since. */
  stale: number;
  /** Values that were never written under that key. */
  wrong: string[];
  /** The same of revision, times, deadline, policy and user metadata. */
  wrongMetadata: string[];
  /** Keys in scans that were never written. */
  phantoms: string[];
}

const [name = ""] = process.argv.slice(2);
const NUMBER_BY_KEY = new Map(Array.from({ length: ENTRIES }, (_, i) => [keyOf(i), i]));
const YEAR_2000 = 946_684_800_000;
const YEAR_2100 = 4_102_444_800_000;

class Reading {
  /** Entries whose last write is not there. */
  readonly stale = new Set<number>();
  readonly findings: Findings = {
    messages: {},
    unopened: false,
    right: 0,
    refused: {},
    absent: 0,
    stale: 0,
    wrong: [],
    wrongMetadata: [],
    phantoms: [],
  };

  refuse(error: unknown): void {
    const code = KvError.is(error) ? error.code : `not a KvError: ${error}`;
    this.findings.refused[code] = (this.findings.refused[code] ?? 0) + 1;
    this.findings.messages[code] ??= error instanceof Error ? error.message : String(error);
  }

  judge(key: string, value: unknown, how: string): void {
    const i = NUMBER_BY_KEY.get(key);
    if (i === undefined) this.findings.phantoms.push(`${how}: ${JSON.stringify(key)}`);
    else if (value === undefined) this.findings.absent++;
    else if (value === REWRITTEN) this.stale.add(i);
    else if (isDeepStrictEqual(value, valueUnder(i))) this.findings.right++;
    else this.findings.wrong.push(`${how} ${key}: ${JSON.stringify(value)?.slice(0, 200)}`);
  }

  async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.refuse(error);
    }
  }
}

async function read(store: Store): Promise<Findings> {
  const reading = new Reading();
  const keys = [...NUMBER_BY_KEY.keys()];
  try {
    await store.has("another");
  } catch (error) {
    // It cannot be opened: every operation would try that again.
    reading.refuse(error);
    return { ...reading.findings, unopened: true };
  }
  for (const key of keys) await reading.attempt(async () => reading.judge(key, await store.get(key), "get"));
  for (const key of keys) {
    await reading.attempt(async () => {
      const metadata = await store.getMetadata(key);
      const i = NUMBER_BY_KEY.get(key) ?? 0;
      if (metadata === undefined || reading.stale.has(i)) return;
      const times = [metadata.createdAt, metadata.updatedAt, metadata.expiresAt ?? metadata.updatedAt];
      const sound =
        isDeepStrictEqual(metadata.user, metadataOf(i)) &&
        metadata.policy === "persist" &&
        (metadata.expiresAt !== undefined) === (i % 4 === 0) &&
        times.every((time) => time.getTime() > YEAR_2000 && time.getTime() < YEAR_2100);
      if (!sound) reading.findings.wrongMetadata.push(`${key}: ${JSON.stringify(metadata)}`);
    });
  }
  await reading.attempt(async () => {
    const values = await store.getMany(keys.slice(0, 50));
    for (const [at, value] of values.entries()) reading.judge(keys[at] ?? "", value, "getMany");
  });
  for (const reverse of [false, true]) {
    await reading.attempt(async () => {
      const onCorrupt = (error: KvError): void => reading.refuse(error);
      for await (const { key, value } of store.entries({ reverse, onCorrupt }))
        reading.judge(key, value, "entries");
    });
  }
  await reading.attempt(async () => {
    for await (const key of store.keys())
      if (!NUMBER_BY_KEY.has(key)) reading.findings.phantoms.push(`keys: ${JSON.stringify(key)}`);
  });
  await reading.attempt(async () => void (await store.count()));
  await reading.attempt(async () => void (await store.set("another", 1)));
  await reading.attempt(async () => void (await store.sweep()));
  reading.findings.stale = reading.stale.size;
  return reading.findings;
}

for await (const directory of createInterface({ input: process.stdin })) {
  const store = createStore(await persistentAdapter(name, directory), { sweepInterval: null });
  const findings = await read(store);
  await store.close().catch((error: unknown) => {
    findings.messages["close"] = String(error);
  });
  process.stdout.write(`${JSON.stringify(findings)}\n`);
}
