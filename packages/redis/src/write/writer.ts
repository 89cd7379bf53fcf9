import type { Commit, CommitResult, Namespace, SetMutation } from "@kv/core";
import { CommitBatch } from "./commit-batch.ts";
import { MoveBatch } from "./move-batch.ts";
import type { Target } from "./script-target.ts";
import { isSmall, plainSet, SetBatch } from "./set-batch.ts";

/** How many entries one script writes at most: the server serves no other client while it runs. */
const BATCH = 256;

/** How many large values one script moves at most. */
const LARGE_BATCH = 32;

type Batch = SetBatch | MoveBatch | CommitBatch;

/** Commits to one partition, and the places of their results. */
interface Part {
  readonly commits: Commit[];
  readonly places: number[];
}

/**
 * Turns commits into scripts. Several scripts are in progress at once only if they share no key, so that a script that is
 * refused temporarily and sent again cannot change the order of writes.
 */
export class Writer {
  readonly #target: Target;

  constructor(target: Target) {
    this.#target = target;
  }

  commit(namespace: Namespace, commits: readonly Commit[]): Promise<CommitResult[]> {
    const { layout, capacity } = this.#target;
    if (layout.partitions === 1 && commits.every((commit) => capacity.refusal(commit) === undefined))
      return this.#commitTo(namespace, 0, commits);
    return this.#spread(namespace, commits);
  }

  async #spread(namespace: Namespace, commits: readonly Commit[]): Promise<CommitResult[]> {
    const results = new Array<CommitResult>(commits.length);
    const parts = new Map<number, Part>();
    for (const [place, commit] of commits.entries()) {
      const partition = this.#target.partitionOf(commit);
      if (typeof partition !== "number") {
        results[place] = { status: "error", error: partition };
        continue;
      }
      let part = parts.get(partition);
      if (part === undefined) {
        part = { commits: [], places: [] };
        parts.set(partition, part);
      }
      part.commits.push(commit);
      part.places.push(place);
    }
    await Promise.all(
      [...parts].map(async ([partition, part]) => {
        const done = await this.#commitTo(namespace, partition, part.commits).catch(
          (error: unknown): CommitResult[] => {
            // Other parts may have been applied.
            if (parts.size === 1 && part.commits.length === commits.length) throw error;
            return part.commits.map(() => ({ status: "error", error }));
          },
        );
        for (const [i, place] of part.places.entries()) results[place] = done[i] as CommitResult;
      }),
    );
    return results;
  }

  #commitTo(namespace: Namespace, partition: number, commits: readonly Commit[]): Promise<CommitResult[]> {
    const now = this.#target.clock();
    const [first] = commits;
    const set = first === undefined || commits.length > 1 ? undefined : plainSet(first, now);
    if (set !== undefined) {
      const batch = new (isSmall(set) ? SetBatch : MoveBatch)(this.#target, namespace, partition, now);
      batch.add(set);
      return batch.run();
    }
    return this.#commitAll(namespace, partition, commits, now);
  }

  async #commitAll(
    namespace: Namespace,
    partition: number,
    commits: readonly Commit[],
    now: number,
  ): Promise<CommitResult[]> {
    const results = new Array<CommitResult>(commits.length);
    const under: Promise<void>[] = [];
    /** The keys of the scripts in progress. */
    const keys = new Set<string>();
    const failures: { from: number; to: number; error: unknown }[] = [];
    for (let from = 0; from < commits.length; ) {
      const batch = this.#fill(namespace, partition, commits, from, now, keys);
      if (batch.size === 0) {
        // The next commit shares a key with a script in progress.
        await Promise.all(under);
        under.length = 0;
        keys.clear();
        if (failures.length > 0) break;
        continue;
      }
      const begin = from;
      from += batch.size;
      const end = from;
      under.push(
        batch.run().then(
          (done) => {
            for (let i = 0; i < done.length; i++) results[begin + i] = done[i] as CommitResult;
          },
          (error: unknown) => void failures.push({ from: begin, to: end, error }),
        ),
      );
    }
    await Promise.all(under);
    if (failures.length > 0) this.#failed(results, failures);
    return results;
  }

  /** The next script: a run of plain sets, or else any commits. */
  #fill(
    namespace: Namespace,
    partition: number,
    commits: readonly Commit[],
    from: number,
    now: number,
    keys: Set<string>,
  ): Batch {
    const target = this.#target;
    const first = plainSet(commits[from] as Commit, now);
    if (first !== undefined) {
      const small = isSmall(first);
      const batch = new (small ? SetBatch : MoveBatch)(target, namespace, partition, now);
      const most = small ? BATCH : LARGE_BATCH;
      for (let i = from; i < commits.length && batch.size < most; i++) {
        const set: SetMutation | undefined = plainSet(commits[i] as Commit, now);
        if (set === undefined || isSmall(set) !== small || keys.has(set.key)) break;
        keys.add(set.key);
        batch.add(set);
      }
      return batch;
    }
    const batch = new CommitBatch(target, namespace, partition, now);
    for (let i = from; i < commits.length && batch.weight < BATCH; i++) {
      const commit = commits[i] as Commit;
      if (i > from && plainSet(commit, now) !== undefined && isRun(commits, i, now)) break;
      // Within one script, commits on one key run in order; only other scripts must not have it.
      const own = keysOf(commit);
      if (own.some((key) => keys.has(key) && !batch.has(key))) break;
      batch.add(commit);
      for (const key of own) keys.add(key);
    }
    return batch;
  }

  /**
   * If a single script failed and nothing else was applied, the whole call rejects. Otherwise each commit reports its own
   * error: one script may have been refused while the answer of another was lost, and only the first may be retried.
   */
  #failed(
    results: CommitResult[],
    failures: readonly { readonly from: number; readonly to: number; readonly error: unknown }[],
  ): void {
    const [first] = failures;
    if (first !== undefined && failures.length === 1 && !results.some((result) => result !== undefined))
      throw first.error;
    for (let i = 0; i < results.length; i++) {
      const own = failures.find(({ from, to }) => i >= from && i < to) ?? first;
      results[i] ??= { status: "error", error: own?.error };
    }
  }
}

/** Whether enough plain sets follow to be worth their own script. */
function isRun(commits: readonly Commit[], from: number, now: number): boolean {
  for (let i = from; i < from + 8; i++) {
    const commit = commits[i];
    if (commit === undefined || plainSet(commit, now) === undefined) return false;
  }
  return true;
}

function keysOf({ checks, mutations }: Commit): string[] {
  return [...checks.map(({ key }) => key), ...mutations.map(({ key }) => key)];
}
