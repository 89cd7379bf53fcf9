import type { Adapter, Middleware, Namespace, SetMutation, StoredEntry } from "../../contract/adapter.ts";
import { textOfJson } from "../../values/json-value.ts";
import { checkedOptions, invalidOption } from "../parts/middleware-options.ts";
import { opened, sealed } from "./cipher.ts";
import { commitWithoutIncrements } from "./increments-as-sets.ts";
import { type EncryptionKey, KeyRing } from "./key-ring.ts";
import {
  commitEncoded,
  corrupt,
  type Transformation,
  transformed,
  unreadable,
  withContent,
} from "./transformation.ts";

export interface EncryptionOptions {
  /** The only key: the same as `keys: { default: key }, current: "default"`. Give this or `keys`. */
  readonly key?: EncryptionKey | undefined;
  /** All keys that entries were encrypted with, by names of their own: letters, digits, `.`, `_` and `-`. */
  readonly keys?: Readonly<Record<string, EncryptionKey>> | undefined;
  /** The name of the key that encrypts. Needed with `keys`. */
  readonly current?: string | undefined;
  /**
   * Whether unencrypted entries can be read, so that encryption can be added to a store that already has data. They are
   * encrypted when they are next written. While this is set, anyone with write access to the backend can plant entries.
   * Default: `false`, which makes them `KV_CORRUPT`.
   */
  readonly readPlain?: boolean | undefined;
}

const PREFIX = "aes+";

/**
 * Encrypts values and user metadata with AES-256-GCM (WebCrypto), each write with an initialisation vector of its own.
 * An entry names its key, so that keys can be replaced: add a new one and make it `current`; once every entry was
 * rewritten, remove the old one. The ciphertext is bound to namespace and key: an entry that was altered or moved is
 * `KV_CORRUPT`.
 *
 * Keys, namespaces, sizes, times, deadlines and policies are not hidden, and anyone with write access to the backend
 * can restore an earlier state of an entry, change its deadline, or delete it. An increment reads, adds and writes, and
 * tries again if another writer was faster. Rotate a key before it has made 2^32 writes.
 * @throws KvError `KV_INVALID_OPTION`
 */
export function encryption(options: EncryptionOptions): Middleware {
  const { ring, readPlain } = checkedOptions(
    "encryption",
    ["key", "keys", "current", "readPlain"],
    options,
    ({ key, keys, current, readPlain = false }) => {
      if (typeof readPlain !== "boolean") invalidOption("readPlain must be true or false");
      if ((key === undefined) === (keys === undefined)) invalidOption("give either key or keys");
      if (keys === undefined) {
        if (current !== undefined) invalidOption("current is an option only with keys");
        return { ring: new KeyRing({ default: key as EncryptionKey }, "default"), readPlain };
      }
      if (typeof keys !== "object" || keys === null || typeof current !== "string") {
        invalidOption("keys must be an object of keys by name, and current one of those names");
      }
      return { ring: new KeyRing(keys, current), readPlain };
    },
  );
  return (inner) => encrypted(inner, ring, readPlain);
}

function encrypted(inner: Adapter, ring: KeyRing, readPlain: boolean): Adapter {
  const transformation: Transformation = {
    async encode(namespace, mutation): Promise<SetMutation> {
      const { key, payload, user, encoding } = mutation;
      const envelope = await sealed(ring, { namespace, key, encoding }, { payload, user });
      return { ...mutation, payload: envelope, user: undefined, encoding: `${PREFIX}${encoding}` };
    },
    decode: (namespace, entry) =>
      entry.encoding.startsWith(PREFIX) ? decrypted(ring, namespace, entry) : plain(inner, entry, readPlain),
  };
  const outside = transformed(inner, transformation);
  const numberless = {
    clock: outside.clock,
    read: outside.read,
    commit: outside.commit,
  };
  return Object.assign(outside, {
    // All payloads are stored as bytes, which are made from text.
    form: "text",
    commit: (namespace, commits) =>
      commits.some(({ mutations }) => mutations.some(({ type }) => type === "increment"))
        ? commitWithoutIncrements(numberless, namespace, commits)
        : commitEncoded(inner, transformation, namespace, commits),
  } satisfies Partial<Adapter>);
}

async function decrypted(ring: KeyRing, namespace: Namespace, entry: StoredEntry): Promise<StoredEntry> {
  const encoding = entry.encoding.slice(PREFIX.length);
  try {
    const content = await opened(ring, { namespace, key: entry.key, encoding }, entry.payload);
    return withContent(entry, { ...content, encoding });
  } catch (error) {
    return unreadable(entry, corrupt("the entry was decrypted, but its content is not a value", error));
  }
}

function plain(inner: Adapter, entry: StoredEntry, readPlain: boolean): StoredEntry {
  if (!readPlain)
    return unreadable(entry, corrupt("the entry was stored without encryption; see the option readPlain"));
  const { encoding, payload, user } = entry;
  if (encoding !== "json" || inner.form === "text") return entry;
  return withContent(entry, { payload: textOfJson(payload), encoding, user });
}
