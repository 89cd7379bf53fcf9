import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { DESCRIPTORS } from "./descriptors.ts";

/** Makes the names in a directory survive a loss of power. It and its callers must not run within `DESCRIPTORS.run`. */
export async function syncDirectory(path: string): Promise<void> {
  await DESCRIPTORS.run(async () => {
    const handle = await DESCRIPTORS.open(path, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}

/** Makes a directory and its parents. `durable`: they survive a loss of power. */
export async function makeDirectory(path: string, durable: boolean): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined || !durable) return;
  const above = dirname(first);
  for (let made = dirname(path); ; made = dirname(made)) {
    await syncDirectory(made);
    if (made === above || made === dirname(made)) return;
  }
}
