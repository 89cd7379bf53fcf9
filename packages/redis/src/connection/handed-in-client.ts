import type { Cluster, Redis } from "ioredis";
import { demand } from "../demand.ts";

/** Settings of a client under which it would be another store than the one that is meant, or no reliable one. */
interface Telling {
  readonly keyPrefix?: string | Buffer | undefined;
  readonly stringNumbers?: boolean | undefined;
  readonly readOnly?: boolean | undefined;
  readonly monitor?: boolean | undefined;
  readonly role?: string | undefined;
  readonly db?: number | undefined;
}

/**
 * What a client was set up with and the store does not honour is refused: it would read and write another place than the
 * client's owner thinks, or answers that are not the server's, or not the latest.
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
  const nodes: Telling = ("redisOptions" in options ? options.redisOptions : undefined) ?? {};
  const own: Telling = isCluster ? { ...nodes, ...withPrefix(options as Telling) } : (options as Telling);
  demand(
    own.keyPrefix === undefined || own.keyPrefix.length === 0,
    "client",
    "one without keyPrefix, which would not apply to what the store writes: use the option prefix",
  );
  demand(
    own.stringNumbers !== true,
    "client",
    "one without stringNumbers: scripts tell by numbers what became of a write",
  );
  demand(
    own.monitor !== true,
    "client",
    "one without monitor: a connection that monitors answers nothing else",
  );
  demand(
    own.role === undefined || own.role === "master",
    "client",
    'one with role: "master": a replica takes no writes, and may not have yet what was written',
  );
  if (!isCluster) {
    demand(
      own.readOnly !== true,
      "client",
      "one without readOnly: a replica takes no writes, and may not have yet what was written",
    );
    return;
  }
  demand(own.db === undefined || own.db === 0, "client", "a Cluster without db: it has database 0 only");
  const scaleReads = "scaleReads" in options ? options.scaleReads : undefined;
  demand(
    scaleReads === undefined || scaleReads === "master",
    "client",
    'a Cluster with scaleReads: "master": a replica may not have yet what was written',
  );
}

/** A Cluster's own prefix, where it has one, goes before that of its nodes. */
function withPrefix({ keyPrefix }: Telling): Telling {
  return keyPrefix === undefined || keyPrefix.length === 0 ? {} : { keyPrefix };
}
