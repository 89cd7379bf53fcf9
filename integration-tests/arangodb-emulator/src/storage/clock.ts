// Revisions and generated keys: a hybrid clock of milliseconds since 1970 in the upper 44 bits and a counter in the lower
// 20, written in base 64 with an alphabet that is in no collation's order. Revisions are stamped before the commit.

const alphabet = "-_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const counterBits = 20n;
const largest = (1n << 64n) - 1n;

export class HybridClock {
  readonly #time: () => number;
  #milliseconds = 0;
  #counter = 0;

  /** @param time milliseconds since 1970 */
  constructor(time: () => number) {
    this.#time = time;
  }

  /** The next stamp, above every earlier one. */
  next(): bigint {
    const now = this.#time();
    if (now > this.#milliseconds) {
      this.#milliseconds = now;
      this.#counter = 0;
    } else if (++this.#counter >= 1 << Number(counterBits)) {
      this.#milliseconds++;
      this.#counter = 0;
    }
    return (BigInt(this.#milliseconds) << counterBits) | BigInt(this.#counter);
  }

  revision(): string {
    return encodeRevision(this.next());
  }
}

export function encodeRevision(stamp: bigint): string {
  let text = "";
  for (let rest = stamp; rest > 0n; rest >>= 6n) text = alphabet.charAt(Number(rest & 63n)) + text;
  return text;
}

/** The stamp of a revision; undefined for what no server has written, which then means "no check". */
export function decodeRevision(text: string): bigint | undefined {
  if (text === "" || text.length > 11) return undefined;
  let stamp = 0n;
  for (const digit of text) {
    const value = alphabet.indexOf(digit);
    if (value < 0) return undefined;
    stamp = (stamp << 6n) | BigInt(value);
  }
  return stamp > largest || stamp === 0n ? undefined : stamp;
}

/** What `DECODE_REV` answers. */
export function revisionParts(stamp: bigint): { readonly milliseconds: number; readonly count: number } {
  return { milliseconds: Number(stamp >> counterBits), count: Number(stamp & ((1n << counterBits) - 1n)) };
}
