import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createStore, namespaceOf } from "@kv/core";
import { hybrid } from "@kv/hybrid";
import { sqlite } from "@kv/sqlite";
import { expect, it } from "vitest";
import { randomFrom } from "./faults/damage/damage.ts";
import { SCRATCH } from "./scratch.ts";

const COUNT = process.env["KV_TEST_FULL"] === "1" ? 100_000 : 2_000;
const SEED = Number(process.env["KV_TEST_SEED"] ?? 20_261_120);
/** Of what file systems, shells, URLs and escapes make something else. */
const PIECES = [
  ...[
    "..",
    ".",
    "/",
    "\\",
    "../",
    "..\\",
    "//",
    "/etc/passwd",
    "~",
    "~root/",
    "C:\\",
    "\\\\host\\share",
    "\0",
    "\n",
  ],
  ...[
    "%2e%2e%2f",
    "%2E%2E/",
    "%00",
    "%",
    "%25",
    "..%c0%af",
    "\u2024\u2024\u2215",
    "\uff0e\uff0e\uff0f",
    "\u202e",
  ],
  ...[
    "é",
    "e\u0301",
    "ß",
    "SS",
    "İ",
    "😀",
    "\u00a0",
    " ",
    ".",
    "-rf",
    "*",
    "?",
    "$(id)",
    "`id`",
    "|",
    ";",
    "'",
    '"',
  ],
  ...[
    "CON",
    "nul",
    "aux.txt",
    "latest",
    "objects",
    "entries",
    ".kv",
    "@",
    "@a",
    "a",
    "A",
    "b",
    "file://",
    "{",
    "}",
  ],
];

function hostileKeys(count: number): Set<string> {
  const random = randomFrom(SEED);
  const pick = (): string => PIECES[Math.floor(random() * PIECES.length)] ?? "";
  const keys = new Set(PIECES);
  while (keys.size < count) {
    const key = Array.from({ length: 1 + Math.floor(random() * 6) }, pick).join("");
    // Now and then as long as a key can be.
    keys.add(random() < 0.02 ? key.repeat(1024).slice(0, 250) : key);
  }
  return keys;
}

it(`${COUNT} keys made to escape name files of their own inside the directory (seed ${SEED})`, async ({
  onTestFinished,
}) => {
  const directory = mkdtempSync(join(SCRATCH, "kv-hostile-"));
  // Which may take a while.
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }), 120_000);
  const index = sqlite({ path: join(directory, "index.db") });
  const adapter = hybrid({ index, directory: join(directory, "files"), inlineBelow: 0, layout: "readable" });
  const store = createStore(adapter, { timeout: "60s" });
  const keys = [...hostileKeys(COUNT)].filter((key) => key.isWellFormed());
  const spaces = [[], [".."], ["/", "\0"], ["a".repeat(5000)], ["@a", "..", "%2e"]];
  const placed = keys.map((key, i) => ({ key, space: spaces[i % spaces.length] ?? [] }));
  for (let at = 0; at < placed.length; at += 500) {
    const part = placed.slice(at, at + 500);
    await Promise.all(part.map(({ key, space }) => viewOf(space).set(key, `value of ${key}`)));
  }
  function viewOf(space: readonly string[]): typeof store {
    return space.length === 0 ? store : store.namespace(...space);
  }

  expect(readdirSync(directory).filter((name) => !name.startsWith("index.db"))).toEqual(["files"]);
  const found = readdirSync(join(directory, "files"), { recursive: true, encoding: "utf8" });
  const files = found.filter((name) => name.endsWith(".json"));
  expect(files.filter((name) => !name.startsWith("entries/"))).toEqual([".kv/layout.json"]);
  expect(files).toHaveLength(keys.length + 1);
  // A folder is one key's, on a file system that takes capitals for small letters as well.
  const folders = new Set(
    files.map((name) => name.slice(0, name.lastIndexOf("/")).normalize().toLowerCase()),
  );
  expect(folders.size).toBe(keys.length + 1);
  for (const { key, space } of placed.filter((_, i) => i % 7 === 0))
    expect(await viewOf(space).get(key)).toBe(`value of ${key}`);

  // Nor can an index that was tampered with make it read or remove anything else.
  const [{ key, space } = { key: "", space: [] }] = placed;
  const namespace = namespaceOf([...space]);
  const [entry] = await index.read(namespace, [key]);
  const file = { ...(JSON.parse(String(entry?.payload)) as object), file: "entries/../../index.db" };
  const rest = { expiresAt: undefined, policy: "persist", user: undefined } as const;
  const { encoding = "" } = entry ?? {};
  const payload = JSON.stringify(file);
  await index.commit(namespace, [
    { checks: [], mutations: [{ type: "set", key, encoding, payload, ...rest }] },
  ]);
  await expect(viewOf(space).get(key)).rejects.toMatchObject({ code: "KV_CORRUPT" });
  await store.close();
}, 900_000);
