/** A number of bytes, or a number with its unit: 1 KB is 1,024 bytes. In a URL the unit may be missing. */
export type ByteSize = number | `${number}${"B" | "KB" | "MB" | "GB"}`;

const UNITS = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 } as const;
const TEXT = /^(\d+(?:\.\d+)?)\s?(B|KB|MB|GB)?$/i;

/** The bytes of a size, a non-negative integer; `undefined`: the size is invalid. */
export function bytesOf(size: unknown): number | undefined {
  const bytes = typeof size === "string" ? parsed(size) : size;
  return typeof bytes === "number" && Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : undefined;
}

function parsed(text: string): number | undefined {
  const match = TEXT.exec(text);
  if (match === null) return undefined;
  return Math.round(Number(match[1]) * UNITS[(match[2] ?? "B").toUpperCase() as keyof typeof UNITS]);
}
