import { realpathSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "@kv/core";
import { fileIdAt } from "../connection/file-id.ts";
import { OpenFiles } from "../connection/open-files.ts";
import type { LevelDatabase } from "../level-database.ts";
import { sayHolder, sharedHolderFile } from "./holder.ts";
import { HolderFile } from "./holder-file.ts";
import { prefixesOf, registerFile } from "./register.ts";

/** A prefix of a database handed in, claimed for one store. */
export interface Claim {
  /** The database's directory; `""` if it has none. */
  readonly path: string;
  /** As `Watched`. */
  readonly fault: () => string | undefined;
  readonly release: () => void;
}

/**
 * Claims a prefix of a database handed in. A store remembers its keys, so no other store may change them, in this thread or,
 * if the driver shares the database between threads, in another.
 * @throws Refusal `KV_UNAVAILABLE` if another store has it
 */
export function claim(database: LevelDatabase, prefix: string): Claim {
  const whole = database.prefixKey(prefix, "utf8", false);
  const claimed = prefixesOf(rootOf(database));
  const refuse = (who: string) =>
    new Refusal(
      "KV_UNAVAILABLE",
      `${who} uses the prefix ${JSON.stringify(prefix)} of this database; close that store, share it, or choose another prefix`,
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

/** `undefined`: no files of the database can be seen from here. */
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
    // So that a store opened by the path finds it taken.
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
