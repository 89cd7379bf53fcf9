import type { ConnectionOptions as TlsOptions } from "node:tls";
import { Cluster, type RedisOptions as DriverOptions, Redis } from "ioredis";
import type { Account } from "../options.ts";
import { toBackground } from "./background-client.ts";

export type Client = Redis | Cluster;

type Options = Omit<DriverOptions, "replyMapping">;

/** The first attempts at once, later ones every second: an outage ends when the server is back, not a minute later. */
export function retryDelay(attempt: number): number {
  return Math.min(25 * 2 ** Math.min(attempt, 10), 1000);
}

/** Milliseconds of silence while an answer is due, where a client that was handed in has no such limit. */
const SILENCE_MS = 4500;

/** Milliseconds for a connection to end. The driver waits that long, and the process with it, also where there is none. */
const DISCONNECT_MS = 200;

interface Entrance {
  readonly username?: string;
  readonly password?: string;
  readonly tls?: TlsOptions;
  readonly connectTimeout: number;
  readonly disconnectTimeout: number;
  readonly connectionName: string;
  readonly disableClientInfo: true;
  readonly lazyConnect: true;
}

/** What every connection of ours has in common. */
function entranceOf(account: Account): Entrance {
  const { username, password, tls, connectTimeout, connectionName } = account;
  return {
    ...(username === undefined ? undefined : { username }),
    ...(password === undefined ? undefined : { password }),
    ...(tls === undefined ? undefined : { tls }),
    connectTimeout,
    disconnectTimeout: DISCONNECT_MS,
    connectionName,
    // One permission less to grant.
    disableClientInfo: true,
    lazyConnect: true,
  };
}

/**
 * Without the driver's ready check, which waits for a server that loads its data by a timer that keeps the process alive:
 * that server refuses what it is asked, and is asked again (`Link`). Behind Sentinels it finds out who is master.
 */
function placeOf(account: Account): Options {
  const { address, db, sentinelUsername, sentinelPassword, tls } = account;
  switch (address.kind) {
    case "server":
      return { host: address.host, port: address.port, db, enableReadyCheck: false };
    case "socket":
      return { path: address.path, db, enableReadyCheck: false };
    case "sentinels":
      return {
        sentinels: address.sentinels.map(({ host, port }) => ({ host, port })),
        name: address.name,
        db,
        ...(sentinelUsername === undefined ? undefined : { sentinelUsername }),
        ...(sentinelPassword === undefined ? undefined : { sentinelPassword }),
        ...(tls === undefined ? undefined : { enableTLSForSentinelMode: true, sentinelTLS: tls }),
        // Its timer would keep the process alive; `Connection` tries again.
        sentinelRetryStrategy: () => null,
        // A master that was demoted goes on answering until the Sentinels are asked again.
        reconnectOnError: (error) => error.message.startsWith("READONLY"),
        failoverDetector: true,
      };
    default:
      return {};
  }
}

/** Keeps nothing back while it is not connected, and repeats nothing. */
const FORGETFUL = {
  retryStrategy: retryDelay,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  // What waits for an answer when the connection breaks is rejected then, not kept.
  maxRetriesPerRequest: 0,
} as const satisfies Options;

/**
 * A client that connects when it is told to, keeps nothing back while it is not connected, and repeats nothing. That it
 * gives up a silent connection is, but for a Cluster, its owner's business (`SilenceGuard`).
 */
export function newClient(account: Account): Client {
  const { address } = account;
  if (address.kind === "cluster") {
    return new Cluster([...address.nodes], {
      lazyConnect: true,
      // Only of nodes that are being connected to; while there is no Cluster, nothing is sent (`Link`).
      enableOfflineQueue: true,
      clusterRetryStrategy: retryDelay,
      slotsRefreshTimeout: 2000,
      retryDelayOnTryAgain: 25,
      redisOptions: { ...entranceOf(account), enableReadyCheck: false, socketTimeout: account.socketTimeout },
    });
  }
  return new Redis({ ...placeOf(account), ...entranceOf(account), ...FORGETFUL });
}

/** A client for subscriptions like this one, on connections of its own. `silence`: milliseconds, where there is a limit. */
export function subscriberLike(client: Client, silence: number | undefined): Client {
  const subscriber = isCluster(client)
    ? client.duplicate([], { lazyConnect: true, enableAutoPipelining: false, enableOfflineQueue: true })
    : client.duplicate({
        lazyConnect: true,
        enableOfflineQueue: true,
        enableAutoPipelining: false,
        // A subscription needs no loaded data.
        enableReadyCheck: false,
        // Channels are the same in every database, and that the store's is there its own connection makes sure of.
        db: 0,
        // The feed does it, and then looks for what it missed.
        autoResubscribe: false,
        maxRetriesPerRequest: null,
        // Messages may be minutes apart; it is only while an answer is due that silence counts.
        socketTimeout: silence ?? SILENCE_MS,
      });
  toBackground(subscriber);
  return subscriber;
}

/** A client like this one, which gives up a connection that went silent. */
export function replacementOf(client: Client): Client {
  const replacement = isCluster(client)
    ? client.duplicate([], {
        lazyConnect: true,
        enableOfflineQueue: true,
        clusterRetryStrategy: retryDelay,
        redisOptions: { socketTimeout: SILENCE_MS },
      })
    : client.duplicate({
        ...FORGETFUL,
        db: databaseOf(client),
        lazyConnect: true,
        socketTimeout: SILENCE_MS,
      });
  toBackground(replacement);
  return replacement;
}

/** Milliseconds after which it gives up a connection that went silent; `undefined`: never. */
export function silenceLimitOf(client: Client): number | undefined {
  const { socketTimeout } = (isCluster(client) ? client.options.redisOptions : client.options) ?? {};
  return socketTimeout;
}

export function isCluster(client: Client): client is Cluster {
  return client instanceof Cluster || client.isCluster;
}

/** The number of the database that a client talks to. */
export function databaseOf(client: Client): number {
  // Its owner may have selected another one than its options say.
  return isCluster(client) ? 0 : (client.condition?.select ?? client.options.db ?? 0);
}
