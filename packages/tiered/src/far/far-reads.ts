import {
  type Adapter,
  endOfTick,
  type MaybePromise,
  type Namespace,
  rescued,
  type StoredEntry,
} from "@kv/core";

type Entries = (StoredEntry | undefined)[];

interface Gathered {
  readonly keys: string[];
  readonly answer: Promise<Entries>;
}

/**
 * Reads of the far tier. If the far tier gains from batches, the reads of one tick are gathered here, because the front
 * does not gather reads that the near tier may answer at once.
 */
export class FarReads {
  readonly #far: Adapter;
  readonly #gathered = new Map<string, Gathered>();

  constructor(far: Adapter) {
    this.#far = far;
  }

  read(namespace: Namespace, keys: readonly string[], payloadsOnly: boolean): MaybePromise<Entries> {
    if (!this.#far.batch.read) return this.#far.read(namespace, keys, payloadsOnly);
    let gathered = this.#gathered.get(namespace.id);
    if (gathered === undefined) {
      gathered = this.#gather(namespace);
      this.#gathered.set(namespace.id, gathered);
    }
    const first = gathered.keys.length;
    for (const key of keys) gathered.keys.push(key);
    return gathered.answer.then((entries) => entries.slice(first, first + keys.length));
  }

  #gather(namespace: Namespace): Gathered {
    const keys: string[] = [];
    const answer = new Promise<Entries>((resolve, reject) => {
      endOfTick(() => {
        this.#gathered.delete(namespace.id);
        const read = rescued<Entries | undefined>(
          () => this.#far.read(namespace, keys),
          (error) => {
            reject(error);
            return undefined;
          },
        );
        Promise.resolve(read).then((entries) => entries && resolve(entries), reject);
      });
    });
    return { keys, answer };
  }
}
