/** Three significant digits, with k and M: `941`, `12.3k`, `1.05M`. */
export function formatRate(rate: number | undefined): string {
  if (rate === undefined) return "–";
  if (rate >= 999_500) return `${significant(rate / 1e6)}M`;
  if (rate >= 999.5) return `${significant(rate / 1e3)}k`;
  return significant(rate);
}

export function formatRatio(ratio: number): string {
  return `${significant(ratio)}×`;
}

function significant(value: number): string {
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return value.toFixed(digits);
}
