import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A sequence of numbers from 0 to 1 that a seed repeats. */
export type Random = () => number;

/** mulberry32. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The files below a directory that hold entries, with their sizes. */
function filesWith(directory: string, kind: RegExp): { path: string; size: number }[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => kind.test(name))
    .sort()
    .map((name) => join(directory, name))
    .map((path) => ({ path, size: statSync(path).size }))
    .filter(({ size }) => size > 0);
}

/** Flips one bit somewhere in the files of this kind. Returns where. */
export function flipBit(directory: string, kind: RegExp, random: Random): string {
  const files = filesWith(directory, kind);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let at = Math.floor(random() * total);
  const bit = Math.floor(random() * 8);
  for (const { path, size } of files) {
    if (at < size) {
      const content = readFileSync(path);
      content[at] = (content[at] ?? 0) ^ (1 << bit);
      writeFileSync(path, content);
      return `bit ${bit} of byte ${at} of ${path.slice(directory.length + 1)}`;
    }
    at -= size;
  }
  throw new Error(`no file of ${directory} is ${kind}`);
}

/** Truncates one of the files of this kind. Returns where. */
export function truncate(directory: string, kind: RegExp, random: Random): string {
  const files = filesWith(directory, kind);
  const file = files[Math.floor(random() * files.length)];
  if (file === undefined) throw new Error(`no file of ${directory} is ${kind}`);
  const size = Math.floor(random() * file.size);
  writeFileSync(file.path, readFileSync(file.path).subarray(0, size));
  return `${file.path.slice(directory.length + 1)} cut from ${file.size} to ${size} bytes`;
}
