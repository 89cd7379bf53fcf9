import type {
  Adapter,
  Commit,
  CommitResult,
  Mutation,
  Namespace,
  PlannedMutation,
  Refusal,
  SetMutation,
} from "@kv/core";
import { concurrently } from "../concurrently.ts";
import type { Directory } from "../directory/directory.ts";
import type { Pin } from "../directory/pins.ts";
import { directoryFault } from "../errors.ts";
import type { Settings } from "../options.ts";
import { isLarge } from "../stored/content.ts";
import { isInFile, referenceOf } from "../stored/reference.ts";
import type { FileWriter } from "./file-writer.ts";
import { linkLatest } from "./latest-link.ts";

/** The most files written at a time: more than there are threads for it, and far fewer than a process may have open. */
const FILES_AT_ONCE = 8;

/** A commit for the index, or why it cannot be made. */
interface Prepared extends Commit {
  readonly refusal?: Refusal;
}

/** Makes commits, with large values in files. */
export class Committer {
  readonly #directory: Directory;
  readonly #writer: FileWriter;
  readonly #settings: Settings;
  readonly #wrote: (bytes: number) => void;

  /** `wrote` is called with the bytes of the files that a commit refers to. */
  constructor(directory: Directory, writer: FileWriter, settings: Settings, wrote: (bytes: number) => void) {
    this.#directory = directory;
    this.#writer = writer;
    this.#settings = settings;
    this.#wrote = wrote;
  }

  commit(namespace: Namespace, commits: readonly Commit[]): ReturnType<Adapter["commit"]> {
    const { index } = this.#settings;
    const large = commits.some(({ mutations }) => mutations.some((mutation) => this.#isLarge(mutation)));
    return large ? this.#commitWithFiles(namespace, commits) : index.commit(namespace, commits);
  }

  async #commitWithFiles(namespace: Namespace, commits: readonly Commit[]): Promise<CommitResult[]> {
    const pin = this.#directory.pin();
    const prepared = await concurrently(commits, FILES_AT_ONCE, (commit) =>
      this.#prepared(namespace, commit, pin),
    );
    return this.#commitPinned(namespace, prepared, pin);
  }

  async #commitPinned(namespace: Namespace, commits: readonly Prepared[], pin: Pin): Promise<CommitResult[]> {
    let results: CommitResult[];
    try {
      results = await this.#commitOthers(namespace, commits);
    } catch (error) {
      // The commit may have taken effect, or may still do so.
      await pin.leave().catch(() => undefined);
      throw error;
    }
    // Failures from here on only leave files behind, which a collector removes.
    await pin.release().catch(() => undefined);
    for (const [i, { mutations }] of commits.entries())
      await this.note(namespace, mutations, results[i]?.status === "ok");
    return results;
  }

  #isLarge(mutation: Mutation): mutation is SetMutation {
    const { index, inlineBelow } = this.#settings;
    return (
      mutation.type === "set" && !isInFile(mutation.encoding) && isLarge(mutation, index.form, inlineBelow)
    );
  }

  async #prepared(namespace: Namespace, commit: Commit, pin: Pin): Promise<Prepared> {
    const mutations: Mutation[] = [];
    try {
      for (const mutation of commit.mutations) {
        const large = this.#isLarge(mutation);
        mutations.push(large ? await this.#writer.written(namespace, mutation, pin) : mutation);
      }
    } catch (error) {
      return { ...commit, refusal: directoryFault(error, this.#directory.paths.directory) };
    }
    return { checks: commit.checks, mutations };
  }

  /** A commit whose files could not be written fails alone. */
  async #commitOthers(namespace: Namespace, commits: readonly Prepared[]): Promise<CommitResult[]> {
    const others = commits.filter(({ refusal }) => refusal === undefined);
    const results = others.length === 0 ? [] : await this.#settings.index.commit(namespace, others);
    let next = 0;
    return commits.map(({ refusal }): CommitResult => {
      if (refusal !== undefined) return { status: "error", error: refusal };
      const result = results[next++];
      if (result === undefined) throw new TypeError("the index answered with fewer results than commits");
      return result;
    });
  }

  /** Called after a commit whose files were written, whether it was made or not. */
  async note(namespace: Namespace, mutations: readonly PlannedMutation[], made: boolean): Promise<void> {
    const { index, layout } = this.#settings;
    for (const mutation of mutations) {
      if (mutation.type !== "set" || !isInFile(mutation.encoding)) continue;
      const { file, fileSize } = referenceOf(mutation.payload);
      this.#wrote(fileSize);
      if (layout === "readable" && made)
        await linkLatest(index, this.#directory, namespace, mutation.key, file);
    }
  }
}
