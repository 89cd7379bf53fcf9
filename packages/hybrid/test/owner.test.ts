import { existsSync } from "node:fs";
import { expect, test, vi } from "vitest";

const BOOT = "/proc/sys/kernel/random/boot_id";

test.skipIf(!existsSync(BOOT))(
  "machines of one host name take no file of the other for one of their own",
  async () => {
    const own = await import("../src/directory/owner.ts");
    vi.resetModules();
    vi.doMock("node:fs", async (importOriginal) => {
      const fs = await importOriginal<typeof import("node:fs")>();
      const readFileSync = (path: string, encoding: "utf8") =>
        path === BOOT ? "another boot\n" : fs.readFileSync(path, encoding);
      return { ...fs, readFileSync };
    });
    try {
      const other = await import("../src/directory/owner.ts");
      // A process number that is free here.
      const name = other.ownedName().replace(/\.\d+-/, ".999999999-");
      expect(other.hasEnded(name, 0)).toBe(true);
      expect(own.hasEnded(name, 0)).toBe(false);
      expect(own.isHeld(name, 10, { here: 0, elsewhere: 1000 })).toBe(true);
    } finally {
      vi.doUnmock("node:fs");
      vi.resetModules();
    }
  },
);
