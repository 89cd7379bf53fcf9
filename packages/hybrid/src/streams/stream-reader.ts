import { createHash } from "node:crypto";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import {
  isBytes,
  type Payload,
  Refusal,
  refuseUnknownOptions,
  type StoredEntry,
  textOfJson,
  type ViewAccess,
} from "@kv/core";
import type { OpenFile } from "../directory/open-file.ts";
import { directoryFault, fsCode, unreadableFile } from "../errors.ts";
import type { FileStore } from "../file-store.ts";
import { demand } from "../options.ts";
import { IndexFault } from "../read/entry-resolver.ts";
import { altered } from "../read/file-reader.ts";
import { type FileMetadata, fileMetadata } from "../stored/file-metadata.ts";
import type { Reference } from "../stored/reference.ts";
import { PIECE, piecesOf, type Span } from "./pieces.ts";

/** A value as a stream. */
export interface FileStream {
  /**
   * The bytes; for text its UTF-8. Read it to the end or `destroy()` it: until then it may hold a file open. A stream of the
   * whole value is checked: if the file was altered, it fails with `KV_CORRUPT` instead of ending.
   */
  readonly stream: Readable;
  /** The position of the first byte in the value. */
  readonly start: number;
  /** The position after the last byte. */
  readonly end: number;
  readonly metadata: FileMetadata;
}

/** Half-open and clipped, as in `Blob.slice`. */
export interface ByteRange {
  /** Default: 0. */
  readonly start?: number | undefined;
  /** Default: the length. */
  readonly end?: number | undefined;
}

/** Reads values as streams, without having them in memory as a whole. */
export class StreamReader {
  readonly #fileStore: FileStore;
  readonly #access: ViewAccess;

  constructor(fileStore: FileStore, access: ViewAccess) {
    this.#fileStore = fileStore;
    this.#access = access;
  }

  /** The entry as the index has it, after all writes called before. */
  async entry(stored: string): Promise<StoredEntry | undefined> {
    const { index } = this.#fileStore.settings;
    await this.#access.settled();
    const [entry] = await this.#access.call(() => index.read(this.#access.namespace, [stored]));
    return entry;
  }

  /** `undefined`: the key is absent. @throws Refusal `KV_CORRUPT`, `KV_UNAVAILABLE`, `KV_INVALID_OPTION` */
  async read(stored: string, key: string, range: ByteRange): Promise<FileStream | undefined> {
    assertRange(range);
    const entry = await this.entry(stored);
    if (entry === undefined) return undefined;
    const { resolver, reader, settings } = this.#fileStore;
    try {
      return await resolver.found(
        this.#access.namespace,
        entry,
        async (reference, current) => {
          const file = await reader.open(reference);
          if (file === undefined) return undefined;
          const span = spanOf(range, reference.contentSize);
          return this.#opened(file, reference, span, current, key);
        },
        async (inline) => this.#inline(inline, range),
      );
    } catch (error) {
      throw error instanceof IndexFault ? error.cause : directoryFault(error, settings.directory);
    }
  }

  #opened(opened: OpenFile, reference: Reference, span: Span, entry: StoredEntry, key: string): FileStream {
    const { gzip, contentSize } = reference;
    const whole = span.start === 0 && span.end === contentSize;
    // In a compressed file, the bytes before a range must be read, too.
    const part = gzip || whole ? { start: 0, end: Number.POSITIVE_INFINITY } : span;
    const pieces = piecesOf(opened, reference.file, part);
    const content = gzip
      ? pipeline(Readable.from(pieces), createGunzip({ chunkSize: PIECE }), ignored)
      : pieces;
    const wanted = whole ? checked(content, reference) : gzip ? sliced(content, span) : content;
    const told = (error: unknown) => {
      const why = fsCode(error)?.startsWith("Z_") ? altered(reference.file, error) : error;
      return this.#access.error(unreadableFile(reference.file, why), "getStream", key);
    };
    const stream = Readable.from(telling(wanted, told), { objectMode: false, highWaterMark: PIECE });
    // Even if the stream has not been read from yet.
    stream.once("close", () => void opened.close().catch(() => undefined));
    return { stream, ...span, metadata: this.#metadata(entry) };
  }

  #inline(entry: StoredEntry, range: ByteRange): FileStream {
    if (entry.payload instanceof Refusal) throw entry.payload;
    const bytes = inlineBytes(entry.payload);
    const span = spanOf(range, bytes.byteLength);
    // Copied, because the index may keep the bytes it returned, while a stream's chunks belong to the reader.
    const part = bytes.slice(span.start, span.end);
    return {
      stream: Readable.from(part.byteLength === 0 ? [] : [part]),
      ...span,
      metadata: this.#metadata(entry),
    };
  }

  #metadata(entry: StoredEntry): FileMetadata {
    return fileMetadata(entry, this.#access.metadata(entry));
  }
}

/** @throws Refusal `KV_INVALID_OPTION` */
function assertRange(range: unknown): void {
  refuseUnknownOptions(range, RANGE, "range");
  const { start, end } = range as ByteRange;
  for (const [name, value] of Object.entries({ start, end })) {
    const isLength = value === undefined || (Number.isSafeInteger(value) && Number(value) >= 0);
    demand(isLength, `range.${name}`, "a number of bytes");
  }
}

const RANGE: ReadonlySet<string> = new Set(["start", "end"]);

function spanOf({ start = 0, end = Number.POSITIVE_INFINITY }: ByteRange, length: number): Span {
  const first = Math.min(start, length);
  return { start: first, end: Math.max(first, Math.min(end, length)) };
}

function inlineBytes(payload: Payload): Uint8Array {
  if (isBytes(payload)) return new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
  return Buffer.from(typeof payload === "string" ? payload : textOfJson(payload));
}

type Chunks = AsyncIterable<Uint8Array>;

async function* checked(
  source: Chunks,
  { file, sha256, contentSize }: Reference,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    if (size > contentSize) throw altered(file);
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest("hex") !== sha256) throw altered(file);
}

async function* sliced(source: Chunks, { start, end }: Span): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const chunk of source) {
    const part = chunk.subarray(Math.max(0, start - at), Math.max(0, end - at));
    if (part.byteLength > 0) yield part;
    at += chunk.byteLength;
    if (at >= end) return;
  }
}

async function* telling(source: Chunks, told: (error: unknown) => Error): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (error) {
    throw told(error);
  }
}

/** Errors are reported by the stream itself. */
function ignored(): void {}
