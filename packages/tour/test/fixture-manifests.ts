import type { Manifest } from "../src/manifests.ts";

/** A few packages that need one another. */
export const MANIFESTS: readonly Manifest[] = [
  { name: "@types/node", version: "24.0.0", license: "MIT", dependencies: { "undici-types": "^7.0.0" } },
  {
    name: "chalk",
    version: "4.1.2",
    license: "MIT",
    dependencies: { "ansi-styles": "^4.1.0", color: "^1.0.0" },
  },
  { name: "chalk", version: "5.6.2", license: "MIT" },
  { name: "color", version: "1.1.4", license: "ISC", dependencies: { "ansi-styles": "^6.0.0" } },
  { name: "undici-types", version: "7.24.6" },
];
