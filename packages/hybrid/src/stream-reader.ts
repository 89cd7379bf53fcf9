import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
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
import type { Depot } from "./depot.ts";
import { IndexFault } from "./entry-resolver.ts";
import { directoryFault, fsCode } from "./errors.ts";
import { type FileMetadata, fileMetadata } from "./file-metadata.ts";
import { altered } from "./file-reader.ts";
import { demand } from "./options.ts";
import type { Reference } from "./reference.ts";

/** A value as a stream. */
export interface FileStream {
  /**
   * The bytes; of text its UTF-8. Read it to the end or `destroy()` it: until then it holds a file open. Read as a whole
   * it is checked: where the file was altered, the stream fails with `KV_CORRUPT` instead of ending.
   */
  readonly stream: Readable;
  /** Of the first byte in the value. */
  readonly start: number;
  /** Behind the last byte in the value. */
  readonly end: number;
  readonly metadata: FileMetadata;
}

/** Bytes, of which `start` is the first and `end` the first that is left out. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** Half-open and clipped, as in `Blob.slice`. */
export interface ByteRange {
  /** Default: 0. */
  readonly start?: number | undefined;
  /** Default: the length. */
  readonly end?: number | undefined;
}

/** Bytes read at once: what waits to be freed is many of these. */
const CHUNK = 2 ** 16;

/** Reads values that need not be in memory as a whole. */
export class StreamReader {
  readonly #depot: Depot;
  readonly #access: ViewAccess;

  constructor(depot: Depot, access: ViewAccess) {
    this.#depot = depot;
    this.#access = access;
  }

  /** The entry as the index has it, after the writes that were called before. */
  async entry(stored: string): Promise<StoredEntry | undefined> {
    const { index } = this.#depot.settings;
    await this.#access.settled();
    const [entry] = await this.#access.call(() => index.read(this.#access.namespace, [stored]));
    return entry;
  }

  /** `undefined`: the key is absent. @throws Refusal `KV_CORRUPT`, `KV_UNAVAILABLE`, `KV_INVALID_OPTION` */
  async read(stored: string, key: string, range: ByteRange): Promise<FileStream | undefined> {
    assertRange(range);
    const entry = await this.entry(stored);
    if (entry === undefined) return undefined;
    const { resolver, reader, settings } = this.#depot;
    try {
      return await resolver.found(
        this.#access.namespace,
        entry,
        async (reference, current) => {
          const handle = await reader.open(reference);
          if (handle === undefined) return undefined;
          const span = spanOf(range, reference.contentSize);
          return this.#opened(handle, reference, span, current, key);
        },
        async (inline) => this.#inline(inline, range),
      );
    } catch (error) {
      throw error instanceof IndexFault ? error.cause : directoryFault(error, settings.directory);
    }
  }

  #opened(handle: FileHandle, reference: Reference, span: Span, entry: StoredEntry, key: string): FileStream {
    const { gzip, contentSize } = reference;
    const whole = span.start === 0 && span.end === contentSize;
    // Of what is compressed, the bytes before a range have to be read, too.
    const part = gzip || whole ? {} : { start: span.start, end: Math.max(span.start, span.end - 1) };
    const file = handle.createReadStream({ highWaterMark: CHUNK, ...part });
    const content = gzip ? pipeline(file, createGunzip({ chunkSize: CHUNK }), ignored) : file;
    const wanted = whole
      ? checked(content, reference)
      : gzip
        ? sliced(content, span)
        : clipped(content, span);
    const told = (error: unknown) => {
      const why = fsCode(error)?.startsWith("Z_") ? altered(reference.file, error) : error;
      return this.#access.error(directoryFault(why, this.#depot.settings.directory), "getStream", key);
    };
    const stream = Readable.from(telling(wanted, told), { objectMode: false, highWaterMark: CHUNK });
    // Also where nobody has begun to read.
    stream.once("close", () => file.destroy());
    return { stream, ...span, metadata: this.#metadata(entry) };
  }

  #inline(entry: StoredEntry, range: ByteRange): FileStream {
    if (entry.payload instanceof Refusal) throw entry.payload;
    const bytes = inlineBytes(entry.payload);
    const span = spanOf(range, bytes.byteLength);
    // A copy: the index may keep what it returned, and a stream's chunks are the reader's.
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

/** What was asked of the file system from `start` on; of an empty span it gives a byte all the same. */
function clipped(source: Chunks, { start, end }: Span): AsyncGenerator<Uint8Array> {
  return sliced(source, { start: 0, end: end - start });
}

async function* telling(source: Chunks, told: (error: unknown) => Error): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (error) {
    throw told(error);
  }
}

/** What goes wrong is told by the stream itself. */
function ignored(): void {}
