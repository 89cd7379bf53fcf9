import { forward } from "../../adapter-parts/forward.ts";
import type {
  Adapter,
  ChangeListener,
  Commit,
  CommitResult,
  MaybePromise,
  Mutation,
  Namespace,
  Pages,
  SetMutation,
  StoredChange,
  StoredEntry,
} from "../../contract/adapter.ts";
import { isPromise } from "../../contract/any-realm.ts";
import { Refusal } from "../../contract/errors.ts";
import { messageOf } from "../../contract/shown.ts";
import { after, all, rescued } from "../../runtime/maybe-promise.ts";
import { commitOthers } from "../parts/refused-commits.ts";

/** How a middleware changes entries on their way in and out. */
export interface Transformation {
  /** The set to store; the same object if nothing changes. A failure fails its commit only. */
  encode(namespace: Namespace, mutation: SetMutation): MaybePromise<SetMutation>;
  /** The entry as it was set. Never throws or rejects: an entry that cannot be read is returned as `unreadable`. */
  decode(namespace: Namespace, entry: StoredEntry): MaybePromise<StoredEntry>;
}

/**
 * An adapter that transforms entries wherever they pass: in reads, commits, scans and watches. Increments and touches
 * reach `inner` unchanged, and scans of keys alone are not decoded. `native` would bypass the transformation and is hidden.
 */
export function transformed(inner: Adapter, transformation: Transformation): Adapter {
  const { watch } = inner;
  return forward(inner, {
    native: undefined,
    read: (namespace, keys, payloadsOnly) =>
      after(inner.read(namespace, keys, payloadsOnly), (entries) =>
        all(entries, (entry) => entry && transformation.decode(namespace, entry)),
      ),
    commit: (namespace, commits) => commitEncoded(inner, transformation, namespace, commits),
    scan(namespace, range) {
      const pages = inner.scan(namespace, range);
      return range.keysOnly ? pages : decodedPages(pages, (entry) => transformation.decode(namespace, entry));
    },
    ...(watch === undefined
      ? undefined
      : {
          watch: (namespace, bounds, listener, othersOnly) => {
            const { receive, end } = inOrder(listener, (change) =>
              decodedChange(transformation, namespace, change),
            );
            return after(watch.call(inner, namespace, bounds, receive, othersOnly), (unwatch) => () => {
              end();
              unwatch();
            });
          },
        }),
  } satisfies Partial<Adapter>);
}

/** The entry with other content. Copied field by field, because entries may be instances whose fields are getters. */
export function withContent(
  entry: StoredEntry,
  content: Pick<StoredEntry, "payload" | "encoding" | "user">,
): StoredEntry {
  return {
    key: entry.key,
    payload: content.payload,
    encoding: content.encoding,
    revision: entry.revision,
    createdAt: entry.createdAt,
    updatedAt: entry.updatedAt,
    expiresAt: entry.expiresAt,
    policy: entry.policy,
    user: content.user,
    size: entry.size,
  };
}

/**
 * An entry that exists but cannot be read. It carries the reason as its payload, and an encoding that no store knows:
 * reading it is `KV_CORRUPT`, while the other entries of the same read or page are unaffected.
 */
export function unreadable(entry: StoredEntry, reason: Refusal): StoredEntry {
  return withContent(entry, { payload: reason, encoding: `unreadable+${entry.encoding}`, user: entry.user });
}

/** The refusal of an unreadable entry. A cause that is a `Refusal` itself is returned unchanged. */
export function corrupt(message: string, cause?: unknown): Refusal {
  if (cause instanceof Refusal) return cause;
  return new Refusal("KV_CORRUPT", message, cause === undefined ? {} : { cause });
}

export function commitEncoded(
  inner: Adapter,
  { encode }: Pick<Transformation, "encode">,
  namespace: Namespace,
  commits: readonly Commit[],
): MaybePromise<CommitResult[]> {
  const encoded = all(commits, (commit): MaybePromise<Encoded> => {
    if (!commit.mutations.some(({ type }) => type === "set")) return commit;
    const { checks } = commit;
    return rescued<Encoded>(
      () =>
        after(
          all(
            commit.mutations,
            (mutation): MaybePromise<Mutation> =>
              mutation.type === "set" ? encode(namespace, mutation) : mutation,
          ),
          (mutations) => ({ checks, mutations }),
        ),
      (error) => ({ checks, mutations: [], refusal: asRefusal(error) }),
    );
  });
  return after(encoded, (ready) =>
    commitOthers(
      ready,
      (commit: Encoded) => commit.refusal,
      (others) => inner.commit(namespace, others),
    ),
  );
}

/** A commit as it will be stored, or the reason why it cannot be. */
interface Encoded extends Commit {
  readonly refusal?: Refusal;
}

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const message = messageOf(error);
  return new Refusal("KV_BACKEND", `the value could not be encoded: ${message}`, { cause: error });
}

async function* decodedPages(
  pages: Pages<StoredEntry>,
  decode: (entry: StoredEntry) => MaybePromise<StoredEntry>,
): AsyncGenerator<readonly StoredEntry[], void, undefined> {
  for await (const page of pages) yield await all(page, decode);
}

function decodedChange(
  { decode }: Pick<Transformation, "decode">,
  namespace: Namespace,
  change: StoredChange,
): MaybePromise<StoredChange> {
  if (!("entry" in change)) return change;
  const { type, key } = change;
  return after(decode(namespace, change.entry), (entry) => ({ type, key, entry }));
}

/** Passes changes on in the order in which they came, however long each takes to decode. */
function inOrder(
  listener: ChangeListener,
  decode: (change: StoredChange) => MaybePromise<StoredChange>,
): { receive: ChangeListener; end: () => void } {
  let last: Promise<void> | undefined;
  let ended = false;
  return {
    receive(changes) {
      const decoded = all(changes, decode);
      if (last === undefined && !isPromise(decoded)) {
        listener(decoded);
        return;
      }
      const delivered = Promise.all([decoded, last]).then(([ready]) => {
        if (last === delivered) last = undefined;
        if (!ended) listener(ready);
      });
      last = delivered;
    },
    end() {
      ended = true;
    },
  };
}
