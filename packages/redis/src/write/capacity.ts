import { type Commit, type Payload, Refusal } from "@kv/core";

/** Bytes of the metadata before a payload, without the user's own, and a little more. */
const HEAD = 128;

/**
 * How long an entry may be. A server that receives a longer string closes the connection, which interrupts all other
 * operations in progress, so such a commit is refused before anything is sent.
 */
export class Capacity {
  #longest = Number.POSITIVE_INFINITY;

  /** @param longest bytes that the server accepts in one string */
  limit(longest: number): void {
    this.#longest = Math.min(this.#longest, longest);
  }

  /** The reason why a commit is refused; `undefined`: it is accepted. */
  refusal({ mutations }: Commit): Refusal | undefined {
    for (const mutation of mutations) {
      if (mutation.type !== "set") continue;
      const { payload, user, key } = mutation;
      if (this.#mayFit(payload, user)) continue;
      const size = bytesOf(payload) + (user === undefined ? 0 : user.length * 6) + HEAD;
      if (size <= this.#longest) continue;
      return new Refusal(
        "KV_CAPACITY",
        `the value is ${size - HEAD} bytes long, and the server accepts ${this.#longest - HEAD}; store less, or raise its setting proto-max-bulk-len`,
        { key },
      );
    }
    return undefined;
  }

  /** A fast estimate that counts no bytes. */
  #mayFit(payload: Payload, user: string | undefined): boolean {
    const least = typeof payload === "string" ? payload.length * 3 : (payload as Uint8Array).byteLength;
    return least + (user === undefined ? 0 : user.length * 6) + HEAD <= this.#longest;
  }
}

function bytesOf(payload: Payload): number {
  return typeof payload === "string" ? Buffer.byteLength(payload) : (payload as Uint8Array).byteLength;
}
