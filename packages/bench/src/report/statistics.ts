/** The median; `undefined` if there are no values. */
export function median(numbers: readonly number[]): number | undefined {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  const lower = sorted[middle - 1];
  return sorted.length % 2 === 1 || upper === undefined || lower === undefined ? upper : (lower + upper) / 2;
}

/**
 * The median of the ratios round by round. A slower machine slows both sides of a round, so this is steadier than a ratio
 * of medians. If one side has fewer rounds, only the rounds that both have count.
 */
export function ratio(
  rates: readonly number[] | undefined,
  base: readonly number[] | undefined,
): number | undefined {
  if (rates === undefined || base === undefined) return undefined;
  const rounds = Math.min(rates.length, base.length);
  return median(Array.from({ length: rounds }, (_, round) => rates[round]! / base[round]!));
}
