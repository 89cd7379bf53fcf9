// Prints every AQL statement that the adapter can send, except those that callers pass to `query`.

import { STATEMENTS } from "../src/statements.ts";

for (const [i, { name, text }] of STATEMENTS.entries()) {
  console.log(`${i === 0 ? "" : "\n"}// ${name}\n${text}`);
}
console.log(`\n// ${STATEMENTS.length} statements`);
