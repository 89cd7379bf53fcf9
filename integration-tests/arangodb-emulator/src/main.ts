// pnpm --filter @kv/arangodb-emulator start --port N --password P --language da

import { parseArgs } from "node:util";
import { startEmulator } from "./emulator.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8529" },
    password: { type: "string" },
    language: { type: "string", default: "en_US_POSIX" },
    "lower-first": { type: "boolean", default: false },
    "ttl-frequency": { type: "string", default: "30000" },
  },
});

const emulator = await startEmulator({
  port: numberOf("port", values.port),
  ...(values.password === undefined ? {} : { password: values.password }),
  language: values.language,
  upperFirst: !values["lower-first"],
  ttlFrequency: numberOf("ttl-frequency", values["ttl-frequency"]),
});
console.log(`${emulator.url} (an emulator of ArangoDB, language ${values.language}). Have fun!`);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void emulator.close());

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new RangeError(`--${name} has to be a number, not "${text}"`);
  return value;
}
