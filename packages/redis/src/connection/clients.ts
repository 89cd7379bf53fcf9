import type { ConnectionOptions as TlsOptions } from "node:tls";
import { Cluster, type RedisOptions as DriverOptions, Redis } from "ioredis";
import type { Account } from "../options.ts";
import { toBackground } from "./background-client.ts";

export type Client = Redis | Cluster;

type Options = Omit<DriverOptions, "replyMapping">;

/** Short at first, later a second: after an outage the client reconnects soon, not a minute later. */
export function retryDelay(attempt: number): number {
  return Math.min(25 * 2 ** Math.min(attempt, 10), 1000);
}

/** Milliseconds of silence while an answer is due, if a client that was handed in has no limit of its own. */
const SILENCE_MS = 4500;

/** Milliseconds for a connection to end. The driver waits that long, and keeps the process alive, even without a connection. */
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

/** The options of every connection that the adapter opens. */
function entranceOf(account: Account): Entrance {
  const { username, password, tls, connectTimeout, connectionName } = account;
  return {
    ...(username === undefined ? undefined : { username }),
    ...(password === undefined ? undefined : { password }),
    ...(tls === undefined ? undefined : { tls }),
    connectTimeout,
    disconnectTimeout: DISCONNECT_MS,
    connectionName,
    // This saves granting one more permission.
    disableClientInfo: true,
    lazyConnect: true,
  };
}

/**
 * The driver's ready check is off: it waits for a server that loads its data with a timer that keeps the process alive. Such a
 * server refuses commands instead, and `Link` repeats them. Behind Sentinels the check stays on: it finds out who is master.
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
        // A demoted master goes on answering until the Sentinels are asked again.
        reconnectOnError: (error) => error.message.startsWith("READONLY"),
        failoverDetector: true,
      };
    default:
      return {};
  }
}

/** Queues nothing while not connected, and repeats nothing. */
const FORGETFUL = {
  retryStrategy: retryDelay,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  // Commands that wait for an answer when the connection breaks are rejected, not kept.
  maxRetriesPerRequest: 0,
} as const satisfies Options;

/**
 * A client that connects on request, queues nothing while not connected, and repeats nothing. Except for a Cluster, its owner
 * has to close silent connections (`SilenceGuard`).
 */
export function newClient(account: Account): Client {
  const { address } = account;
  if (address.kind === "cluster") {
    return new Cluster([...address.nodes], {
      lazyConnect: true,
      // Queues only for nodes that are being connected; without a Cluster, `Link` sends nothing.
      enableOfflineQueue: true,
      clusterRetryStrategy: retryDelay,
      slotsRefreshTimeout: 2000,
      retryDelayOnTryAgain: 25,
      redisOptions: { ...entranceOf(account), enableReadyCheck: false, socketTimeout: account.socketTimeout },
    });
  }
  return new Redis({ ...placeOf(account), ...entranceOf(account), ...FORGETFUL });
}

/** A client like this one for subscriptions, on its own connections. `silence`: the limit in milliseconds, if there is one. */
export function subscriberLike(client: Client, silence: number | undefined): Client {
  const subscriber = isCluster(client)
    ? client.duplicate([], { lazyConnect: true, enableAutoPipelining: false, enableOfflineQueue: true })
    : client.duplicate({
        lazyConnect: true,
        enableOfflineQueue: true,
        enableAutoPipelining: false,
        // A subscription does not need loaded data.
        enableReadyCheck: false,
        // Channels are the same in every database, and the store's own connection ensures that its database exists.
        db: 0,
        // The feed resubscribes, and then checks for what it missed.
        autoResubscribe: false,
        maxRetriesPerRequest: null,
        // Messages may be minutes apart; silence only counts while an answer is due.
        socketTimeout: silence ?? SILENCE_MS,
      });
  toBackground(subscriber);
  return subscriber;
}

/** A client like this one, which closes a connection that went silent. */
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

/** Milliseconds after which a client closes a connection that went silent; `undefined`: never. */
export function silenceLimitOf(client: Client): number | undefined {
  const { socketTimeout } = (isCluster(client) ? client.options.redisOptions : client.options) ?? {};
  return socketTimeout;
}

export function isCluster(client: Client): client is Cluster {
  return client instanceof Cluster || client.isCluster;
}

/** The number of the database that a client talks to. */
export function databaseOf(client: Client): number {
  // Its owner may have selected another database than the one in its options.
  return isCluster(client) ? 0 : (client.condition?.select ?? client.options.db ?? 0);
}
