import { randomBytes } from "node:crypto";

const LEAST = 36 ** 3;
const END = 36 ** 4;

/**
 * Revisions of one opened store: eight random characters, then a count in eight. Unique without asking the server, also
 * after somebody else has emptied it. The count is kept as two numbers of four places each, which stay small integers.
 */
export class Revisions {
  #id = "";
  #high = END;
  #low = END;
  #before = "";

  next(): string {
    if (this.#low === END) this.#turn();
    return this.#before + (this.#low++).toString(36);
  }

  #turn(): void {
    this.#low = LEAST;
    this.#high++;
    if (this.#high >= END) {
      this.#high = LEAST;
      this.#id = randomBytes(6).toString("base64url");
    }
    this.#before = this.#id + this.#high.toString(36);
  }
}
