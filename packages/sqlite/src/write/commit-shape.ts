import type { Commit, IncrementMutation, Mutation, SetMutation } from "@kv/core";

/** Whether a commit may make an entry under an absent key. */
export function inserts({ mutations }: Commit): boolean {
  return mutations.some(({ type }) => type === "set" || type === "increment");
}

/** Whether a set leaves its key absent, its deadline having passed. */
export function isOver({ expiresAt }: Pick<SetMutation, "expiresAt">, now: number): boolean {
  return typeof expiresAt === "number" && expiresAt <= now;
}

/** The only mutation of a batch, if it is alone, unchecked, and takes one statement. */
export function loneMutation(commits: readonly Commit[]): Exclude<Mutation, IncrementMutation> | undefined {
  const commit = commits[0];
  if (commits.length !== 1 || commit?.checks.length !== 0 || commit.mutations.length !== 1) return undefined;
  const mutation = commit.mutations[0];
  return mutation === undefined || mutation.type === "increment" ? undefined : mutation;
}

/** How many mutations there are, and whether any sets a deadline. */
export function extentOf(commits: readonly Commit[]): {
  readonly mutations: number;
  readonly haveDeadlines: boolean;
} {
  let mutations = 0;
  let haveDeadlines = false;
  for (const commit of commits) {
    mutations += commit.mutations.length;
    for (const mutation of commit.mutations)
      haveDeadlines ||= "expiresAt" in mutation && typeof mutation.expiresAt === "number";
  }
  return { mutations, haveDeadlines };
}
