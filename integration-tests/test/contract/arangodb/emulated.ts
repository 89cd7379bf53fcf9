import { startEmulator } from "@kv/arangodb-emulator";
import { afterAll, test } from "vitest";
import { describeArangodb, describeArangodbBriefly, full } from "./suite.ts";

/**
 * The suite on an emulator whose server has a language. With KV_TEST_FULL=1 in all views in the language that it runs in
 * by default, and else on the store itself: what differs is the order of strings, which is the same in every view.
 */
export async function describeEmulated(language: string, otherwise: "briefly" | "skip"): Promise<void> {
  const name = `arangodb, emulated in ${language}`;
  if (!full && otherwise === "skip") {
    test(name, (context) => context.skip("needs KV_TEST_FULL=1"));
    return;
  }
  const emulator = await startEmulator({ language });
  afterAll(() => emulator.close());
  const url = `${emulator.url}/conformance`;
  if (full && otherwise === "briefly") describeArangodb(name, url);
  else describeArangodbBriefly(name, url, [""]);
}
