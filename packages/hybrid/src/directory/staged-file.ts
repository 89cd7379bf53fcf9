import { DESCRIPTORS } from "./descriptors.ts";
import type { Shelter } from "./open-file.ts";

/** For a file being written under its own temporary name. `durable`: its bytes are on the disk before it is closed. */
export function stagedFile(path: string, durable: boolean): Shelter {
  return {
    async prepare(handle) {
      // The system reports a failed write to the disk only to handles that are open.
      if (durable) await handle.sync();
      return true;
    },
    reopen: () => DESCRIPTORS.open(path, "r+"),
    leave: async () => undefined,
  };
}
