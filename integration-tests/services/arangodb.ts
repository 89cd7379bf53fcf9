// ArangoDB servers for tests: the one that KV_TEST_ARANGODB_URL names, and two in containers, one of which has a
// language whose collation is far from the order of bytes. A missing server is reported with the reason. The
// emulator is not a service, because every test file starts its own.

import { Database } from "arangojs";
import { inDocker } from "./docker.ts";
import { leash } from "./leash.ts";
import { eachOf, type Missing, type Service, type Way } from "./service.ts";

const image = "arangodb:3.12.9";
const password = "test";

/** The server that KV_TEST_ARANGODB_URL names. The tests make databases on it. */
const environment: Way = {
  how: "environment",
  async start(): Promise<Service | Missing> {
    const url = process.env["KV_TEST_ARANGODB_URL"] ?? "";
    if (url === "") return { reason: "KV_TEST_ARANGODB_URL is not set" };
    const { host } = new URL(url);
    try {
      return {
        url,
        how: "environment",
        describe: `${await versionOf(url)}, which KV_TEST_ARANGODB_URL names (${host})`,
        stop: async () => undefined,
      };
    } catch (error) {
      // A server that is named must be used: another one in its place would hide that it is down.
      throw new Error(`KV_TEST_ARANGODB_URL names a server that does not answer (${host}): ${error}`);
    }
  },
};

/** A container whose server sorts by the collation of a language. */
function container(language: string): Way {
  return {
    how: "container",
    start: () =>
      inDocker(image, async () => {
        const { ArangoDBContainer } = await import("@testcontainers/arangodb");
        const started = await new ArangoDBContainer(image, password)
          .withEnvironment({ LANG: language })
          .withStartupTimeout(120_000)
          .start();
        const release = leash("container", started.getId());
        const stop = async (): Promise<void> => {
          await started.stop();
          release();
        };
        try {
          const address = new URL(started.getHttpUrl());
          address.username = started.getUsername();
          address.password = started.getPassword();
          const url = address.href;
          const describe = `${await versionOf(url)} in a container (Testcontainers, image ${image}, LANG=${language})`;
          return { url, how: "container", describe, stop };
        } catch (error) {
          await stop();
          throw error;
        }
      }),
  };
}

/** Every server that the tests are to run on. Never empty: a missing server is in it with the reason. */
export function arangodbServers(): Promise<(Service | Missing)[]> {
  const ways = [container("en_US.UTF-8"), container("da_DK.UTF-8")];
  const offered = (process.env["KV_TEST_ARANGODB_URL"] ?? "") !== "";
  return eachOf(offered ? [environment, ...ways] : ways);
}

async function versionOf(url: string): Promise<string> {
  const { origin, username, password: secret } = new URL(url);
  const database = new Database({
    url: origin,
    auth: { username: decodeURIComponent(username) || "root", password: decodeURIComponent(secret) },
    timeout: 5_000,
  });
  try {
    return `ArangoDB ${(await database.version()).version}`;
  } finally {
    database.close();
  }
}
