import { DESCRIPTORS } from "./descriptors.ts";
import type { Shelter } from "./open-file.ts";

/** For a file that is being written under a name of its own. `durable`: what was written is on the disk before it is closed. */
export function stagedFile(path: string, durable: boolean): Shelter {
  return {
    async prepare(handle) {
      // An error of writing it to the disk is told to those who have it open.
      if (durable) await handle.sync();
      return true;
    },
    reopen: () => DESCRIPTORS.open(path, "r+"),
    leave: async () => undefined,
  };
}
