import { forward } from "../../adapter-parts/forward.ts";
import type { Adapter, Commit, Middleware } from "../../contract/adapter.ts";
import type { Refusal } from "../../contract/errors.ts";
import { checkedOptions, positiveInteger } from "../parts/middleware-options.ts";
import { payloadSize } from "../parts/payload-size.ts";
import { capacityRefusal, commitOthers } from "../parts/refused-commits.ts";

export interface SizeLimitOptions {
  /**
   * The most bytes a value may take as its codec writes it: the number of bytes, or the UTF-8 length of text or of a
   * JSON value's text. A larger value is refused with `KV_CAPACITY`; nothing of its commit is written, and other
   * commits are unaffected.
   */
  readonly maxValueBytes: number;
}

/**
 * Refuses values that are too large, before they reach the backend. Outside of `compression` and `encryption` it
 * measures the value as written, inside of them as stored. Entries stored before stay readable.
 * @throws KvError `KV_INVALID_OPTION`
 */
export function sizeLimit(options: SizeLimitOptions): Middleware {
  const maxValueBytes = checkedOptions("sizeLimit", ["maxValueBytes"], options, (given) =>
    positiveInteger("maxValueBytes", given.maxValueBytes),
  );

  function refuse(commit: Commit, form: Adapter["form"]): Refusal | undefined {
    for (const mutation of commit.mutations) {
      if (mutation.type !== "set") continue;
      const size = payloadSize(mutation, form);
      if (size <= maxValueBytes) continue;
      const message = `the value takes ${size} bytes, and the limit is ${maxValueBytes} (sizeLimit); store less under one key`;
      return capacityRefusal(commit, mutation.key, message);
    }
    return undefined;
  }

  return (inner) =>
    forward(inner, {
      // Writes that bypass this would not be measured.
      native: undefined,
      commit: (namespace, commits) =>
        commitOthers(
          commits,
          (commit) => refuse(commit, inner.form),
          (others) => inner.commit(namespace, others),
        ),
    });
}
