import type { Header } from "../stored/header.ts";

/** How many headers each of the two generations holds. */
const GENERATION = 2 ** 14;
/** The header of a key with more characters than this is not worth the memory. */
const LONGEST_KEY = 512;

/**
 * Headers of recently written keys, so that rewriting one costs no read. They are exact, since only this process writes, and
 * all its writes go through one queue. There are two generations: a header that was not asked for while the younger one
 * filled up is forgotten.
 */
export class HeaderCache {
  #young = new Map<string, Header>();
  #old = new Map<string, Header>();

  get(storedKey: string): Header | undefined {
    const header = this.#young.get(storedKey);
    if (header !== undefined) return header;
    const old = this.#old.get(storedKey);
    if (old !== undefined) this.set(storedKey, old);
    return old;
  }

  set(storedKey: string, header: Header): void {
    if (storedKey.length > LONGEST_KEY) return;
    this.#young.set(storedKey, header);
    if (this.#young.size < GENERATION) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  forget(storedKey: string): void {
    this.#young.delete(storedKey);
    this.#old.delete(storedKey);
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
  }
}
