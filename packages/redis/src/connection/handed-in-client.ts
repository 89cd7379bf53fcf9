import type { Cluster, Redis } from "ioredis";
import { demand } from "../demand.ts";

/** Settings of a client that would lead to another store than intended, or to an unreliable one. */
interface ClientSettings {
  readonly keyPrefix?: string | Buffer | undefined;
  readonly stringNumbers?: boolean | undefined;
  readonly readOnly?: boolean | undefined;
  readonly monitor?: boolean | undefined;
  readonly role?: string | undefined;
  readonly db?: number | undefined;
}

/**
 * Refuses settings that the store cannot honour: it would read and write another place than the client's owner expects, or
 * return answers that are not the server's, or not the latest.
 * @throws Refusal `KV_INVALID_OPTION`
 */
export function demandHonest(client: unknown): asserts client is Redis | Cluster {
  demand(
    typeof client === "object" &&
      client !== null &&
      "sendCommand" in client &&
      typeof client.sendCommand === "function" &&
      "duplicate" in client &&
      typeof client.duplicate === "function" &&
      "options" in client,
    "client",
    "a Redis or a Cluster of ioredis",
  );
  const { options, isCluster } = client as Redis | Cluster;
  const nodes: ClientSettings = ("redisOptions" in options ? options.redisOptions : undefined) ?? {};
  const own: ClientSettings = isCluster
    ? { ...nodes, ...withPrefix(options as ClientSettings) }
    : (options as ClientSettings);
  demand(
    own.keyPrefix === undefined || own.keyPrefix.length === 0,
    "client",
    "one without keyPrefix, which the store's commands ignore; use the option prefix",
  );
  demand(
    own.stringNumbers !== true,
    "client",
    "one without stringNumbers: scripts report the outcome of a write as numbers",
  );
  demand(
    own.monitor !== true,
    "client",
    "one without monitor: a connection that monitors answers no other commands",
  );
  demand(
    own.role === undefined || own.role === "master",
    "client",
    'one with role: "master": a replica accepts no writes, and may lag behind the master',
  );
  if (!isCluster) {
    demand(
      own.readOnly !== true,
      "client",
      "one without readOnly: a replica accepts no writes, and may lag behind the master",
    );
    return;
  }
  demand(own.db === undefined || own.db === 0, "client", "a Cluster without db: it has only database 0");
  const scaleReads = "scaleReads" in options ? options.scaleReads : undefined;
  demand(
    scaleReads === undefined || scaleReads === "master",
    "client",
    'a Cluster with scaleReads: "master": a replica may lag behind the master',
  );
}

/** A Cluster's own prefix, if it has one, takes precedence over its nodes'. */
function withPrefix({ keyPrefix }: ClientSettings): ClientSettings {
  return keyPrefix === undefined || keyPrefix.length === 0 ? {} : { keyPrefix };
}
