import type { Store } from "@kv/core";
import type { Case, Chapter } from "./chapter.ts";
import { prepare } from "./context.ts";
import type { Harness } from "./harness.ts";
import { THOROUGHNESS } from "./property.ts";
import type { Variant } from "./views.ts";

/** A case of a chapter, in one of the ways in which the suite runs. */
export interface PlannedCase {
  readonly variant: Variant;
  readonly chapter: Chapter;
  readonly case: Case;
  /** As in `redis through a scope › time to live › an entry past its deadline reads as absent`. */
  readonly fullTitle: string;
}

export interface RunCaseOptions {
  /** Wraps every store that the case opens, before its views are made. */
  readonly wrapStore?: (store: Store) => Store;
  /** Milliseconds after which a case that has not ended fails. Default: 20,000, more under KV_TEST_FULL=1. */
  readonly timeout?: number;
}

export type Verdict =
  | { readonly status: "passed" }
  | { readonly status: "skipped"; readonly reason: string }
  | { readonly status: "failed"; readonly error: unknown };

/** Milliseconds that closing may take: a call that a case left hanging makes closing hang, too. */
const DISPOSAL = 3000;

/** Runs one case against a fresh adapter, without regard to deviations. */
export async function runCase(
  harness: Harness,
  planned: Pick<PlannedCase, "variant" | "case">,
  { wrapStore, timeout = 20_000 * Math.max(1, THOROUGHNESS) }: RunCaseOptions = {},
): Promise<Verdict> {
  const {
    variant,
    case: { requires, whenMissing, run },
  } = planned;
  try {
    const { context, dispose } = await prepare({ harness, variant, wrapStore });
    try {
      const reason = requires?.(context.abilities);
      if (reason !== undefined && whenMissing === undefined) return { status: "skipped", reason };
      const body = reason === undefined || whenMissing === undefined ? run : whenMissing;
      await within(timeout, body(context));
    } finally {
      await within(Math.min(timeout, DISPOSAL), dispose());
    }
    return { status: "passed" };
  } catch (error) {
    return { status: "failed", error };
  }
}

/** Runs one case, and inverts the verdict if a deviation declares that it must fail. */
export async function judge(
  harness: Harness,
  planned: PlannedCase,
  options?: RunCaseOptions,
): Promise<Verdict> {
  const verdict = await runCase(harness, planned, options);
  const deviation = harness.deviations?.[planned.fullTitle];
  if (deviation === undefined || verdict.status === "skipped") return verdict;
  if (verdict.status === "failed") return { status: "passed" };
  return {
    status: "failed",
    error: new Error(
      `the case passes, although a deviation declares that it fails (${deviation}). Remove the deviation.`,
    ),
  };
}

async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new Error(`the case did not end within ${milliseconds} ms`));
  }, milliseconds);
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
