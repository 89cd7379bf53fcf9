import { startEmulator } from "@kv/arangodb-emulator";
import { afterAll, test } from "vitest";
import { describeArangodb, describeArangodbBriefly, full } from "./suite.ts";

/** The suite on an emulator whose server has a language: all of it with KV_TEST_FULL=1, else the store itself at most. */
export async function describeEmulated(language: string, otherwise: "briefly" | "skip"): Promise<void> {
  const name = `arangodb, emulated in ${language}`;
  if (!full && otherwise === "skip") {
    test(name, (context) => context.skip("needs KV_TEST_FULL=1"));
    return;
  }
  const emulator = await startEmulator({ language });
  afterAll(() => emulator.close());
  const url = `${emulator.url}/conformance`;
  if (full) describeArangodb(name, url);
  else describeArangodbBriefly(name, url, [""]);
}
