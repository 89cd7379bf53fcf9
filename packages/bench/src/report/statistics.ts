/** `undefined` of nothing. */
export function median(numbers: readonly number[]): number | undefined {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  const lower = sorted[middle - 1];
  return sorted.length % 2 === 1 || upper === undefined || lower === undefined ? upper : (lower + upper) / 2;
}

/**
 * The median of the ratios round by round. What slows the machine down for a while slows both sides of a round down, so
 * this is steadier than a ratio of medians. Where one side has fewer rounds only those count that both have.
 */
export function ratio(
  rates: readonly number[] | undefined,
  base: readonly number[] | undefined,
): number | undefined {
  if (rates === undefined || base === undefined) return undefined;
  const rounds = Math.min(rates.length, base.length);
  return median(Array.from({ length: rounds }, (_, round) => rates[round]! / base[round]!));
}
