/** An answer in at most `width` characters: a list as its length and first items. */
export function answerText(answer: unknown, width: number): string {
  if (typeof answer === "number") return answer.toLocaleString("en");
  if (!Array.isArray(answer)) return shortened(String(answer), width);
  let text = `${answer.length}: ${answer.join(", ")}`;
  for (let count = answer.length - 1; text.length > width && count > 0; count--) {
    text = `${answer.length}: ${answer.slice(0, count).join(", ")} …`;
  }
  return shortened(text, width);
}

/** `0.4 ms`, `45 ms`, `1.2 s`. */
export function timeText(milliseconds: number): string {
  if (milliseconds < 9.95) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

export function shortened(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}
