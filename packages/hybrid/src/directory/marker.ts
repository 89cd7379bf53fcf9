import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Refusal } from "@kv/core";
import { isMissing } from "../errors.ts";
import { DESCRIPTORS } from "./descriptors.ts";
import { makeDirectory, syncDirectory } from "./durable.ts";
import { FILE_FOLDERS, LAYOUT_VERSION, type Paths } from "./layout.ts";
import { ownedName } from "./owner.ts";

/** The version of the directory's layout; `undefined`: the directory is not marked as a hybrid store's yet. */
export async function layoutVersion({ directory, marker }: Paths): Promise<number | undefined> {
  let text: string;
  try {
    text = await DESCRIPTORS.run(() => readFile(marker, "utf8"));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const version = versionIn(text);
  if (version === undefined) {
    throw new Refusal("KV_CORRUPT", `${marker} is damaged; it should hold {"version":${LAYOUT_VERSION}}`);
  }
  if (version > LAYOUT_VERSION) {
    const message = `${directory} has layout version ${version}, and this version of @kv/hybrid supports up to ${LAYOUT_VERSION}; install a newer one`;
    throw new Refusal("KV_UNSUPPORTED", message);
  }
  return version;
}

/** Marks the directory, unless it has foreign folders of the same names, whose files a collection would remove. */
export async function claim(paths: Paths, durable: boolean): Promise<void> {
  const { directory } = paths;
  const foreign = (await readdir(directory)).find((name) =>
    FILE_FOLDERS.some((folder) => folder === name.toLowerCase()),
  );
  if (foreign !== undefined) {
    // Unless another process was faster.
    if ((await layoutVersion(paths)) !== undefined) return;
    const message = `${directory} holds a ${foreign}/ that does not belong to this store; choose another directory`;
    throw new Refusal("KV_INVALID_OPTION", message);
  }
  await mark(paths, durable);
}

/** Marks the directory as a hybrid store's. */
export async function mark({ marker }: Paths, durable: boolean): Promise<void> {
  await makeDirectory(dirname(marker), durable);
  const staged = join(dirname(marker), ownedName());
  const text = `${JSON.stringify({ version: LAYOUT_VERSION })}\n`;
  await DESCRIPTORS.run(() => writeFile(staged, text, { flush: durable }));
  await rename(staged, marker);
  if (durable) await syncDirectory(dirname(marker));
}

function versionIn(text: string): number | undefined {
  try {
    const { version } = JSON.parse(text) as { version?: unknown };
    return Number.isSafeInteger(version) ? Number(version) : undefined;
  } catch {
    return undefined;
  }
}
