import { createHash, type Hash } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { type Adapter, Refusal } from "@kv/core";
import { concurrently } from "../concurrently.ts";
import type { Directory } from "../directory/directory.ts";
import { listedFiles } from "../directory/file-listing.ts";
import type { OpenFile } from "../directory/open-file.ts";
import { directoryFault, fsCode } from "../errors.ts";
import type { EntryResolver } from "../read/entry-resolver.ts";
import { IndexFault } from "../read/entry-resolver.ts";
import { altered, type FileReader } from "../read/file-reader.ts";
import { type FileEntry, fileEntries } from "../stored/file-entries.ts";
import type { Reference } from "../stored/reference.ts";
import { piecesOf } from "../streams/pieces.ts";

/** An entry that cannot be read, because its file is missing or was altered. */
export interface FileProblem {
  /** The path of its namespace. */
  readonly namespace: readonly string[];
  /** The stored key, a scope's prefix included. */
  readonly key: string;
  /** The file, and what is wrong with it. */
  readonly message: string;
}

export interface VerifyReport {
  /** Entries whose value is in a file. */
  readonly entries: number;
  /** Bytes of their files; a file shared by several entries counts for each. */
  readonly bytes: number;
  readonly problems: readonly FileProblem[];
  /** Files that no entry names, which `collect` will remove in time. */
  readonly unreferenced: { readonly files: number; readonly bytes: number };
}

const FILES_AT_ONCE = 4;
/** Bytes read and hashed at once. */
const CHUNK = 2 ** 18;

/** Reads every file that an entry names, and compares it with its checksum. Changes nothing. */
export class Verifier {
  readonly #index: Adapter;
  readonly #directory: Directory;
  readonly #reader: FileReader;
  readonly #resolver: EntryResolver;

  constructor(index: Adapter, directory: Directory, reader: FileReader, resolver: EntryResolver) {
    this.#index = index;
    this.#directory = directory;
    this.#reader = reader;
    this.#resolver = resolver;
  }

  async verify(): Promise<VerifyReport> {
    try {
      return await this.#verify();
    } catch (error) {
      throw this.#index.errorCode(error) === undefined
        ? directoryFault(error, this.#directory.paths.directory)
        : error;
    }
  }

  async #verify(): Promise<VerifyReport> {
    await this.#directory.assertThere();
    const loose = new Map<string, number>();
    for await (const { name, bytes } of listedFiles(this.#directory.paths.directory)) loose.set(name, bytes);
    const problems: FileProblem[] = [];
    let entries = 0;
    let bytes = 0;
    let batch: FileEntry[] = [];
    const check = async (): Promise<void> => {
      const found = await concurrently(batch, FILES_AT_ONCE, (entry) => this.#problemOf(entry));
      problems.push(...found.filter((problem) => problem !== undefined));
      batch = [];
    };
    for await (const found of fileEntries(this.#index)) {
      entries++;
      if (!(found.reference instanceof Refusal)) {
        bytes += found.reference.fileSize;
        loose.delete(found.reference.file);
      }
      batch.push(found);
      if (batch.length >= FILES_AT_ONCE * 4) await check();
    }
    await check();
    const sizes = [...loose.values()];
    return {
      entries,
      bytes,
      problems,
      unreferenced: { files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) },
    };
  }

  async #problemOf({ namespace, entry, reference }: FileEntry): Promise<FileProblem | undefined> {
    const problem = ({ message }: Refusal) => ({ namespace: namespace.path, key: entry.key, message });
    if (reference instanceof Refusal) return problem(reference);
    try {
      await this.#resolver.found(
        namespace,
        entry,
        (current) => this.#matches(current),
        async () => true,
      );
      return undefined;
    } catch (error) {
      if (error instanceof IndexFault) throw error.cause;
      if (error instanceof Refusal && error.code === "KV_CORRUPT") return problem(error);
      throw error;
    }
  }

  /** `undefined`: the file is missing. @throws Refusal `KV_CORRUPT` */
  async #matches(reference: Reference): Promise<true | undefined> {
    const file = await this.#reader.open(reference);
    if (file === undefined) return undefined;
    const hash = createHash("sha256");
    try {
      const whole = { start: 0, end: Number.POSITIVE_INFINITY };
      if (reference.gzip) await pipeline(piecesOf(file, reference.file, whole), createGunzip(), hash);
      else await hashFile(file, hash);
    } catch (error) {
      if (fsCode(error)?.startsWith("Z_")) throw altered(reference.file, error);
      throw error;
    } finally {
      await file.close();
    }
    if (hash.digest("hex") !== reference.sha256) throw altered(reference.file);
    return true;
  }
}

/** Through one buffer. */
async function hashFile(file: OpenFile, hash: Hash): Promise<void> {
  const buffer = new Uint8Array(CHUNK);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.use((handle) => handle.read(buffer, 0, CHUNK, at));
    if (bytesRead === 0) return;
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}
