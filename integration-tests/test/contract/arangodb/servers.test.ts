import { sharedArangodbServers } from "../../../services/shared.ts";
import { missing } from "../../arangodb/places.ts";
import { describeArangodb, describeArangodbBriefly, full } from "./suite.ts";

// Real servers, where there are any: one that KV_TEST_ARANGODB_URL names, and two containers of different languages.
for (const [i, server] of (await sharedArangodbServers()).entries()) {
  const name = `arangodb by ${server.how ?? "any means"} ${i + 1}`;
  if ("reason" in server) {
    missing(name, server.reason);
    continue;
  }
  const url = `${server.url.replace(/\/$/, "")}/conformance`;
  if (full) describeArangodb(name, url);
  else describeArangodbBriefly(name, url, [""]);
}
