import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Contender, Pair, Value } from "../../workload/contender.ts";
import { bytesIn, bytesOf } from "../bytes.ts";

export const copiedFile: Contender = {
  name: "cp",
  role: "bound",
  packages: [],
  note: "a set copies a file that holds the value, a get reads it: no key, no metadata, no checksum, and half a file if it is killed",
  async open(folder) {
    const directory = join(folder, "cp");
    await mkdir(directory);
    const sources = new Map<Value, string>();
    const source = async (value: Value): Promise<string> => {
      const known = sources.get(value);
      if (known !== undefined) return known;
      const path = join(directory, `source-${sources.size}`);
      sources.set(value, path);
      await writeFile(path, bytesOf(value));
      return path;
    };
    const pathOf = (key: string): string => join(directory, encodeURIComponent(key));
    const get = async (key: string) => bytesIn(await readFile(pathOf(key)));
    const set = async (key: string, value: Value) => copyFile(await source(value), pathOf(key));
    return {
      get,
      set,
      getMany: (keys: readonly string[]) => Promise.all(keys.map(get)),
      async setMany(pairs: readonly Pair[]) {
        for (const [key, value] of pairs) await set(key, value);
      },
      close: () => undefined,
    };
  },
};
