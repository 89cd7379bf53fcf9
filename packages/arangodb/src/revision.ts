import { randomBytes } from "node:crypto";

/**
 * Revisions of one opened store: nine random characters, then a count. Unique without asking the server, also after
 * somebody has emptied it. `_rev` would not do, since it changes with a touch, too.
 */
export class Revisions {
  readonly #id = randomBytes(9).toString("base64url");
  #count = 0;

  next(): string {
    this.#count++;
    return `${this.#id}${this.#count.toString(36)}`;
  }
}
