import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import {
  type CommitResult,
  isError,
  Refusal,
  refuseUnknownOptions,
  type SetOptions,
  type ViewAccess,
} from "@kv/core";
import type { OpenFile } from "../directory/open-file.ts";
import { directoryFault, fsCode } from "../errors.ts";
import type { FileStore } from "../file-store.ts";
import { demand } from "../options.ts";
import type { Reference } from "../stored/reference.ts";
import { inFile } from "../write/file-writer.ts";
import {
  blocks,
  bytesOf,
  fromSource,
  isSource,
  Patience,
  SourceError,
  type StreamSource,
} from "./stream-source.ts";

export interface SetStreamOptions extends SetOptions {
  /** The type of the content, e.g. `"video/mp4"`; returned with the metadata. At most 255 characters. */
  readonly contentType?: string | undefined;
}

const OPTIONS: ReadonlySet<string> = new Set([
  "contentType",
  "ttl",
  "expiresAt",
  "keepTtl",
  "policy",
  "metadata",
  "signal",
]);

/** Writes a value that is never in memory as a whole. */
export class StreamWriter {
  readonly #fileStore: FileStore;
  readonly #access: ViewAccess;

  constructor(fileStore: FileStore, access: ViewAccess) {
    this.#fileStore = fileStore;
    this.#access = access;
  }

  async write(stored: string, source: StreamSource, options: SetStreamOptions): Promise<string> {
    refuseUnknownOptions(options, OPTIONS, "setStream");
    const { contentType, ...given } = options;
    if (this.#access.validates) {
      const message =
        "this view validates values with a schema, and a stream cannot be validated; use a view without a schema";
      throw new Refusal("KV_UNSUPPORTED", message);
    }
    demand(
      contentType === undefined || (typeof contentType === "string" && contentType.length <= 255),
      "contentType",
      "a string of at most 255 characters",
    );
    demand(isSource(source), "source", "a stream, or an iterable of bytes or text");
    // Options are checked before the source is read; a time to live begins when it has been read.
    this.#access.envelope(given, "setStream");
    const { directory } = this.#fileStore;
    try {
      const { path, file } = await directory.stageSlowly();
      try {
        const written = await this.#pour(source, file, given.signal);
        await directory.finish(file);
        return await this.#commit(stored, path, { ...written, contentType }, given);
      } catch (error) {
        await file.close().catch(() => undefined);
        await directory.unstage(path);
        throw error;
      }
    } catch (error) {
      throw this.#told(error);
    }
  }

  /** Writes the source to the file, at the pace of the disk. */
  async #pour(
    source: StreamSource,
    file: OpenFile,
    signal: AbortSignal | undefined,
  ): Promise<Omit<Reference, "file" | "contentType">> {
    const { gzip } = this.#fileStore.settings;
    const hash = createHash("sha256");
    const patience = new Patience(this.#access.timeout);
    const ended = this.#access.onClosing(() => patience.limit());
    const given = signal === undefined ? patience.signal : AbortSignal.any([signal, patience.signal]);
    let size = 0;
    const measured = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const chunk of fromSource(source, given)) {
        patience.progressed();
        const bytes = bytesOf(chunk);
        hash.update(bytes);
        size += bytes.byteLength;
        // Copied, because compression buffers several chunks, and the source may reuse its buffer.
        yield gzip ? Buffer.from(bytes) : bytes;
      }
    };
    let fileSize = 0;
    const sink = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const block of blocks(chunks)) {
        await file.use((handle) => writeAt(handle, block, fileSize));
        fileSize += block.byteLength;
        patience.progressed();
      }
    };
    try {
      if (gzip) await pipeline(measured, createGzip(), sink);
      else await pipeline(measured, sink);
    } finally {
      ended();
      patience.end();
    }
    return {
      sha256: hash.digest("hex"),
      size,
      contentSize: size,
      fileSize,
      text: false,
      gzip,
    };
  }

  async #commit(
    key: string,
    staged: string,
    written: Omit<Reference, "file">,
    { signal, ...options }: SetOptions,
  ): Promise<string> {
    const { directory, writer } = this.#fileStore;
    const { namespace } = this.#access;
    const file = writer.nameOf(namespace, { key, encoding: "bytes" }, written);
    const envelope = this.#access.envelope(options, "setStream");
    const bare = { type: "set", key, payload: undefined, encoding: "bytes", ...envelope } as const;
    const mutations = [inFile(bare, { file, ...written })];
    const pin = directory.pin();
    let result: CommitResult;
    try {
      await pin.add(file);
      await directory.place(staged, file);
      result = await this.#access.commit({ checks: [], mutations }, signal);
    } catch (error) {
      await pin.leave().catch(() => undefined);
      throw error;
    }
    await pin.release().catch(() => undefined);
    if (result.status === "error") throw result.error;
    await this.#fileStore.committer.note(namespace, mutations, true);
    const revision = result.status === "ok" ? result.outcomes[0]?.revision : undefined;
    if (revision === undefined) throw new TypeError(`the index answered a set with ${result.status}`);
    return revision;
  }

  #told(error: unknown): unknown {
    const { index, directory } = this.#fileStore.settings;
    if (error instanceof SourceError) {
      const cause = error.cause;
      const message = isError(cause) ? cause.message : String(cause);
      return new Refusal("KV_INVALID_VALUE", `the source failed, and nothing was written: ${message}`, {
        cause,
      });
    }
    const ofDisk = fsCode(error)?.startsWith("E") && index.errorCode(error) === undefined;
    return ofDisk ? directoryFault(error, directory) : error;
  }
}

async function writeAt(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, at + done);
    done += bytesWritten;
  }
}
