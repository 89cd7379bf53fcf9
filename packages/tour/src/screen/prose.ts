import { isAbsolute, relative } from "node:path";
import type { StoreConfig } from "@kv/config";
import type { Stop } from "../stop.ts";
import type { Paint } from "./paint.ts";

/** The subject of the tour. All lines here fit 80 columns, unless a path is long. */
export function introduction(packages: number, stops: readonly Stop[], paint: Paint): string[] {
  return [
    `  ${paint("bold", "@kv")}  One contract for key-value stores, whatever the backend`,
    "",
    `  The package.json files of the ${packages} packages installed here go into ${stops.length} stores,`,
    "  which then answer the same questions. The program is the same for all:",
    `  ${paint("cyan", "packages/tour/src/tour.ts")}. Only the line that opens the store differs:`,
    "",
    ...stops.flatMap(({ config }) => opening(config).map((line) => `    ${paint("cyan", line)}`)),
  ];
}

export function verdict(questions: number, different: number, stores: number, paint: Paint): string[] {
  const found =
    different === 0
      ? `${paint(["bold", "green"], "same answer ✓")}  to all ${questions} questions from all ${stores} stores`
      : `${paint(["bold", "red"], "different answers ✗")}  to ${different} of ${questions} questions: a bug, please report it`;
  return [`  ${found}`, `  ${paint("dim", "times of a second run; the expiry is waited for")}`];
}

/** How to look into the SQLite file. */
export function inspection(path: string, paint: Paint): string[] {
  const query = [
    `sqlite3 "${near(path)}" "`,
    "  SELECT value ->> 'license', count(*) FROM kv",
    `  WHERE key LIKE 'package:%' GROUP BY 1 ORDER BY 2 DESC"`,
  ];
  return [
    `  The SQLite file is ${paint("bold", near(path))}. Its values are plain JSON;`,
    "  these are the licences once more, by SQL:",
    "",
    ...query.map((text) => `    ${paint("cyan", text)}`),
  ];
}

/** What was left out and what to do next. */
export function outlook(withRedis: boolean, paint: Paint): string[] {
  return [
    ...(withRedis ? [] : ["  Not run: Redis, which needs a server (set KV_TEST_REDIS_URL)"]),
    "  Not run: ArangoDB, which needs a server (its tests run on an emulator)",
    "",
    `  ${paint("bold", "What to try next")}`,
    `    ${paint("cyan", "npm test")}           every promise of the contract, checked on every store`,
    `    ${paint("cyan", "README.md")}          how to use @kv in a project of your own`,
    `    ${paint("cyan", "CONTRIBUTING.md")}    how to write an adapter for another backend`,
  ];
}

/** How a store is opened, in lines that fit. */
function opening(config: StoreConfig): string[] {
  const line = `await openStore(${shown(config)})`;
  if (line.length <= 76 || "path" in config) return [line];
  const fields = fieldsOf(config).map((field) => `  ${field},`);
  return ["await openStore({", ...fields, "})"];
}

/** A config as source text. */
function shown(config: object): string {
  return `{ ${fieldsOf(config).join(", ")} }`;
}

function fieldsOf(config: object): string[] {
  return Object.entries(config).map(([name, value]: [string, unknown]) => {
    // A URL may hold a password.
    if (name === "url") return "url: process.env.KV_TEST_REDIS_URL";
    if (typeof value === "object" && value !== null) return `${name}: ${shown(value)}`;
    const isPath = name === "path" || name === "directory";
    return `${name}: ${JSON.stringify(isPath ? near(String(value)) : value)}`;
  });
}

/** A path relative to the current folder, as typed on a command line. */
function near(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith("..") || isAbsolute(fromHere) ? path : fromHere;
}
