import type { Adapter, MaybePromise, Middleware, SetMutation, StoredEntry } from "../../contract/adapter.ts";
import { isBytes } from "../../contract/any-realm.ts";
import { shown } from "../../contract/shown.ts";
import { checkedOptions, invalidOption } from "../parts/middleware-options.ts";
import { payloadSize } from "../parts/payload-size.ts";
import { payloadBytes, payloadOf } from "./payload-bytes.ts";
import { corrupt, transformed, unreadable, withContent } from "./transformation.ts";

/**
 * The same compression in the frame of zlib (RFC 1950) or of gzip (RFC 1952); both have a checksum, zlib's frame is 12
 * bytes shorter.
 */
export type CompressionAlgorithm = "deflate" | "gzip";

export interface CompressionOptions {
  /** Values of more bytes than this are compressed: an integer, at least 64. Default: 1024. */
  readonly threshold?: number | undefined;
  /** The algorithm that writes. Entries of both are read. Default: `"deflate"`. */
  readonly algorithm?: CompressionAlgorithm | undefined;
}

/** In stored encodings, as in `deflate+json`. */
const PREFIX = /^(deflate|gzip)\+/;

/** Longer than any number as text, so that numbers stay uncompressed and the backend can add to them. */
const LEAST_THRESHOLD = 64;

/**
 * Stores large values compressed, by the platform's own `CompressionStream`. An entry's encoding (`deflate+json`) says
 * whether it is compressed, so compression can be added to an existing store, and small values pass unchanged, readable
 * by the backend's own tools. A value that compression does not make smaller passes unchanged, too. Put it outside of
 * `encryption`, since encrypted values cannot be compressed. Without this middleware, compressed entries are `KV_CORRUPT`.
 * @throws KvError `KV_INVALID_OPTION`
 */
export function compression(options: CompressionOptions = {}): Middleware {
  const { threshold, algorithm } = checkedOptions(
    "compression",
    ["threshold", "algorithm"],
    options,
    ({ threshold = 1024, algorithm = "deflate" }) => {
      if (!Number.isSafeInteger(threshold) || threshold < LEAST_THRESHOLD) {
        invalidOption(`threshold must be an integer of at least ${LEAST_THRESHOLD}, not ${shown(threshold)}`);
      }
      if (algorithm !== "deflate" && algorithm !== "gzip") {
        invalidOption(`algorithm must be "deflate" or "gzip", not ${shown(algorithm)}`);
      }
      return { threshold, algorithm };
    },
  );
  return (inner: Adapter) =>
    transformed(inner, {
      encode: (_, mutation) =>
        payloadSize(mutation, inner.form) > threshold ? compressed(mutation, algorithm) : mutation,
      decode: (_, entry) => decompressed(entry),
    });
}

async function compressed(mutation: SetMutation, algorithm: CompressionAlgorithm): Promise<SetMutation> {
  const bytes = payloadBytes(mutation.payload);
  const payload = await piped(bytes, new CompressionStream(algorithm));
  if (payload.byteLength >= bytes.byteLength) return mutation;
  return { ...mutation, payload, encoding: `${algorithm}+${mutation.encoding}` };
}

function decompressed(entry: StoredEntry): MaybePromise<StoredEntry> {
  const { encoding, payload } = entry;
  const algorithm = PREFIX.exec(encoding)?.[1] as CompressionAlgorithm | undefined;
  if (algorithm === undefined) return entry;
  if (!isBytes(payload)) {
    return unreadable(
      entry,
      corrupt("the entry is marked as compressed, but its payload is not bytes; restore or delete it"),
    );
  }
  return piped(new Uint8Array(payload), new DecompressionStream(algorithm))
    .then((bytes) =>
      withContent(entry, {
        payload: payloadOf(bytes),
        encoding: encoding.slice(algorithm.length + 1),
        user: entry.user,
      }),
    )
    .catch((error: unknown) =>
      unreadable(
        entry,
        corrupt(`the entry cannot be decompressed (${algorithm}); restore or delete it`, error),
      ),
    );
}

async function piped(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  const writer = stream.writable.getWriter();
  // Errors are reported by the reading end.
  writer.write(bytes).catch(() => undefined);
  writer.close().catch(() => undefined);
  return new Uint8Array(await new Response(stream.readable).arrayBuffer());
}
