// Prints every AQL statement that the adapter can send. `query` of a user's own is all that is missing.

import { STATEMENTS } from "../src/statements.ts";

for (const [i, { name, text }] of STATEMENTS.entries()) {
  console.log(`${i === 0 ? "" : "\n"}// ${name}\n${text}`);
}
console.log(`\n// ${STATEMENTS.length} statements`);
