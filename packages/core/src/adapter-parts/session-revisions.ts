const LEAST = 36 ** 3;
const END = 36 ** 4;
/** 96 bits, so that no two openings have the same. */
const RANDOM_BYTES = 12;

/**
 * Revisions of one opening: random characters, then a count in eight. None was used by an earlier opening, even if the
 * data was restored from a backup or copied since: a count kept with the data would repeat itself.
 *
 * The count is kept as two numbers of four places each, which stay small integers.
 */
export class SessionRevisions {
  readonly #bytes: number;
  #random = "";
  #high = END;
  #low = END;
  #before = "";

  /** @param bytes how many random bytes precede the count, encoded as four characters for each three */
  constructor(bytes: number = RANDOM_BYTES) {
    this.#bytes = bytes;
  }

  next(): string {
    if (this.#low === END) this.#turn();
    return this.#before + (this.#low++).toString(36);
  }

  #turn(): void {
    this.#low = LEAST;
    this.#high++;
    if (this.#high >= END) {
      this.#high = LEAST;
      this.#random = randomText(this.#bytes);
    }
    this.#before = this.#random + this.#high.toString(36);
  }
}

/** URL-safe Base64. */
function randomText(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}
