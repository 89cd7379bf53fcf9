import { test } from "vitest";
import { sharedArangodbServers } from "../../services/shared.ts";
import { describeArangodb } from "./suite.ts";

// Real servers, where there are any: one that KV_TEST_ARANGODB_URL names, and two containers.
for (const [i, server] of (await sharedArangodbServers()).entries()) {
  const name = `arangodb by ${server.how ?? "any means"} ${i + 1}`;
  if ("reason" in server) test(name, (context) => context.skip(server.reason));
  else describeArangodb(name, `${server.url.replace(/\/$/, "")}/conformance`);
}
