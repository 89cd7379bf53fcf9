import { realpathSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "@kv/core";
import { fileIdAt } from "../connection/file-id.ts";
import { OpenFiles } from "../connection/open-files.ts";
import type { LevelDatabase } from "../level-database.ts";
import { sayHolder, sharedHolderFile } from "./holder.ts";
import { HolderFile } from "./holder-file.ts";
import { prefixesOf, registerFile } from "./register.ts";

/** A prefix of a database that was handed in, taken for one store. */
export interface Claim {
  /** Where the database is, as far as it says so. */
  readonly path: string;
  /** As `Watched`. */
  readonly fault: () => string | undefined;
  readonly release: () => void;
}

/**
 * Takes a prefix of a database handed in: what one store remembers of its keys, another one must not change, neither one of
 * this thread nor, where the driver shares the database between threads, of another.
 * @throws Refusal `KV_UNAVAILABLE` where another store has it
 */
export function claim(database: LevelDatabase, prefix: string): Claim {
  const whole = database.prefixKey(prefix, "utf8", false);
  const claimed = prefixesOf(rootOf(database));
  const refuse = (who: string) =>
    new Refusal(
      "KV_UNAVAILABLE",
      `${who} uses the prefix ${JSON.stringify(prefix)} of this database; close that one, share it, or choose another prefix`,
      { held: true },
    );
  if (claimed.has(whole)) throw refuse("another open store of this process");
  const path = locationOf(database) ?? "";
  const place = path === "" ? undefined : placeAt(path, whole, refuse);
  claimed.add(whole);
  return {
    path,
    fault: () => place?.files.fault() ?? place?.holder.keep(),
    release() {
      claimed.delete(whole);
      place?.release();
    },
  };
}

interface HandedInPlace {
  readonly files: OpenFiles;
  readonly holder: HolderFile;
  readonly release: () => void;
}

/** `undefined`: it is not in files, as far as can be seen from here. */
function placeAt(
  location: string,
  whole: string,
  refuse: (who: string) => Refusal,
): HandedInPlace | undefined {
  let holder: HolderFile | undefined;
  try {
    const path = realpathSync(location);
    const directory = fileIdAt(path);
    if (directory === undefined || fileIdAt(join(path, "LOCK")) === undefined) return undefined;
    const files = new OpenFiles(path, { reopened: true });
    const file = new HolderFile(sharedHolderFile(path, whole));
    holder = file;
    holder.claim((other) => refuse(sayHolder(other)));
    holder.keep();
    // Stores that are opened by the path learn of it.
    const end = registerFile(directory);
    const release = () => {
      end();
      file.release();
    };
    return { files, holder, release };
  } catch (error) {
    holder?.release();
    if (error instanceof Refusal) throw error;
    return undefined;
  }
}

function locationOf(database: LevelDatabase): string | undefined {
  const root = rootOf(database);
  return "location" in root && typeof root.location === "string" ? root.location : undefined;
}

/** The database that a sublevel is part of. */
function rootOf(database: LevelDatabase): object {
  return "db" in database && typeof database.db === "object" && database.db !== null ? database.db : database;
}
