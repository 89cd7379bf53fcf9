import { Readable } from "node:stream";
import { isBytes, monotonicNow, Refusal, type Timer, timer } from "@kv/core";

/** A source that is read piece by piece: a stream of Node or of the web, or any iterable of bytes or text (as UTF-8). */
export type StreamSource = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;

/** The number of bytes written at once. */
const BLOCK = 2 ** 18;

/** An error of the caller's source, reported unchanged. */
export class SourceError extends Error {}

/** The source yielded nothing for the store's `timeout` while the store was being closed. */
class SourceStalled extends Refusal {
  constructor(ms: number) {
    super(
      "KV_CLOSED",
      `the store was closed, and the source yielded nothing for ${ms} ms; nothing was written`,
    );
  }
}

/** Gives up on a source that stalls while the store is being closed. Until then a source may take its time. */
export class Patience {
  readonly #controller = new AbortController();
  readonly #ms: number;
  #at = 0;
  #timer: Timer | undefined;

  /** `ms`: how long a source may then yield nothing. */
  constructor(ms: number) {
    this.#ms = ms;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Called when a chunk came or was written. */
  progressed(): void {
    this.#at = monotonicNow();
  }

  /** Called when the store is being closed. */
  limit(): void {
    this.progressed();
    this.#wait(this.#ms);
  }

  #wait(ms: number): void {
    this.#timer = timer(() => {
      const left = this.#ms - (monotonicNow() - this.#at);
      if (left > 0) this.#wait(left);
      else this.#controller.abort(new SourceStalled(this.#ms));
    }, ms);
  }

  end(): void {
    this.#timer?.cancel();
  }
}

/**
 * Called as soon as there is a source. A stream of Node that fails before it is read, because its file is missing for
 * example, would end the process. A later reader still gets the error.
 */
export function attend(source: unknown): void {
  if (hasMethod(source, "on")) source.on("error", () => undefined);
}

/** Called after a failed write: frees the source's resources, such as an open file. A source that has ended is left alone. */
export function abandon(source: unknown): void {
  if (hasMethod(source, "destroy")) source.destroy();
  else if (isWebStream(source) && !source.locked) source.cancel().catch(() => undefined);
}

/** By its methods: a stream of another realm, or of a package such as readable-stream, is not an instance of Node's class. */
function hasMethod<N extends string>(
  source: unknown,
  name: N,
): source is Record<N, (...given: unknown[]) => unknown> {
  return (
    typeof source === "object" &&
    source !== null &&
    typeof (source as Readonly<Record<string, unknown>>)[name] === "function"
  );
}

function isWebStream(source: unknown): source is ReadableStream {
  return hasMethod(source, "getReader") && hasMethod(source, "cancel");
}

export function isSource(source: unknown): source is StreamSource {
  return (
    typeof source === "object" &&
    source !== null &&
    (Symbol.asyncIterator in source || Symbol.iterator in source)
  );
}

/**
 * The chunks of the source, until the signal is aborted, since a source may never yield again. Without `Promise.race`,
 * which would keep every chunk for as long as the signal lives.
 */
export async function* fromSource(
  source: StreamSource,
  signal: AbortSignal | undefined,
): AsyncGenerator<unknown, void, undefined> {
  // A stream that was read to its end looks like an empty one.
  const wasRead = Readable.isDisturbed(source as unknown as NodeJS.ReadableStream);
  let isFirst = true;
  const iterator = iteratorOf(source);
  let giveUp: (() => void) | undefined;
  const abort = (): void => giveUp?.();
  signal?.addEventListener("abort", abort);
  let ended = false;
  try {
    for (;;) {
      const step = await new Promise<IteratorResult<unknown, unknown>>((resolve, reject) => {
        giveUp = () => reject(aborted(signal));
        if (signal?.aborted) giveUp();
        else
          stepOf(iterator).then(resolve, (cause: unknown) => {
            ended = true;
            reject(new SourceError("the source failed", { cause }));
          });
      });
      if (step.done === true) {
        ended = true;
        if (isFirst && wasRead) throw spent();
        return;
      }
      isFirst = false;
      yield step.value;
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    // Not awaited: the source may be stuck in the read in progress.
    if (!ended) Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

function spent(): Refusal {
  return new Refusal(
    "KV_INVALID_VALUE",
    "the stream was read before and has nothing left; pass one that was not read yet",
  );
}

/** A web stream's reader can be cancelled while it waits for a chunk; its own iterator would wait for the chunk first. */
function iteratorOf(source: StreamSource): Iterator<unknown, unknown> | AsyncIterator<unknown, unknown> {
  if (isWebStream(source)) {
    if (source.locked) {
      throw new Refusal(
        "KV_INVALID_VALUE",
        "the stream is locked to another reader; release that reader, or pass another stream",
      );
    }
    const reader = (source as ReadableStream<unknown>).getReader();
    return {
      async next() {
        const { done, value } = await reader.read();
        return done ? { done, value: undefined } : { done, value };
      },
      async return() {
        await reader.cancel();
        return { done: true, value: undefined };
      },
    };
  }
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}

async function stepOf(
  iterator: Iterator<unknown, unknown> | AsyncIterator<unknown, unknown>,
): Promise<IteratorResult<unknown, unknown>> {
  return iterator.next();
}

function aborted(signal: AbortSignal | undefined): Refusal {
  if (signal?.reason instanceof SourceStalled) return signal.reason;
  return new Refusal("KV_ABORTED", "the signal was aborted; nothing was written", { cause: signal?.reason });
}

/**
 * Gathers small chunks, so that a source of lines does not wait for the disk at each. A block is valid until the next
 * one is requested.
 */
export async function* blocks(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const block = Buffer.allocUnsafe(BLOCK);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.byteLength; ) {
      const part = chunk.subarray(at, at + BLOCK - filled);
      // Copied, because the source may reuse its buffer.
      block.set(part, filled);
      filled += part.byteLength;
      at += part.byteLength;
      if (filled < BLOCK) continue;
      yield block;
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

export function bytesOf(chunk: unknown): Uint8Array {
  if (isBytes(chunk)) return chunk;
  if (typeof chunk === "string" && chunk.isWellFormed()) return Buffer.from(chunk);
  throw new Refusal(
    "KV_INVALID_VALUE",
    typeof chunk === "string"
      ? "a chunk of text has a lone surrogate: it was cut within a character"
      : `a stream must yield bytes or text, and this one yielded ${typeof chunk}`,
  );
}
