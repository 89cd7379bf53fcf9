import type { Cluster, Redis } from "ioredis";

/*
 * A client that the adapter opens, and not the caller, stays in the background: its sockets and timers keep no process
 * alive, and the driver prints nothing. ioredis has no options for this, so the code uses its private properties. If a later
 * version moves them, only these two promises break, and tests check both.
 */

/** The timer that the driver waits for before it reconnects. */
interface Reconnecting {
  readonly reconnectTimeout?: NodeJS.Timeout | null;
}

/** The part of a Cluster that subscribes, with its own client, which it replaces from time to time. */
interface Subscribing {
  selectSubscriber?: (() => void) | undefined;
  getInstance?: (() => Redis | null) | undefined;
}

/** Captured when the module is loaded: a test may fake it later. */
const soon: (callback: () => void) => unknown = setImmediate;

/** Clients that are in the background already. */
const known = new WeakSet<Redis>();

/** Puts a client into the background. Call it before the client connects. */
export function toBackground(client: Redis | Cluster): void {
  if (isServer(client)) serverToBackground(client);
  else clusterToBackground(client);
}

function serverToBackground(client: Redis): void {
  if (known.has(client)) return;
  known.add(client);
  askQuietly(client);
  const unref = (): void => {
    client.stream?.unref();
  };
  // The stream is created in the next tick.
  client.on("connecting", () => soon(unref));
  client.on("connect", () => {
    unref();
    for (const sentinel of sentinelsOf(client)) {
      // An unreachable Sentinel is not a failover.
      if (!known.has(sentinel)) sentinel.on("error", () => undefined);
      serverToBackground(sentinel);
    }
  });
  client.on("reconnecting", () => releaseTimer(client));
}

function clusterToBackground(cluster: Cluster): void {
  cluster.on("+node", serverToBackground);
  cluster.on("reconnecting", () => releaseTimer(cluster));
  const group: unknown = Reflect.get(cluster, "subscriber");
  if (typeof group !== "object" || group === null) return;
  const subscribing = group as Subscribing;
  const { selectSubscriber } = subscribing;
  if (typeof selectSubscriber !== "function") return;
  subscribing.selectSubscriber = function (this: Subscribing): void {
    selectSubscriber.call(this);
    const subscriber = this.getInstance?.();
    if (subscriber !== undefined && subscriber !== null) serverToBackground(subscriber);
  };
}

/** Without permission for INFO, skips the driver's ready check without a warning on the console. */
function askQuietly(client: Redis): void {
  const info = client.info.bind(client) as (callback: InfoCallback) => Promise<string>;
  const quiet = (callback: InfoCallback): Promise<string> =>
    info((error, text) => {
      if (error?.message.startsWith("NOPERM")) callback(null, "");
      else callback(error, text);
    });
  Object.defineProperty(client, "info", { value: quiet, configurable: true, writable: true });
}

type InfoCallback = (error?: Error | null, text?: string) => void;

function releaseTimer(client: Redis | Cluster): void {
  (client as unknown as Reconnecting).reconnectTimeout?.unref();
}

/** The clients through which a client's Sentinels report a failover. */
function sentinelsOf(client: Redis): readonly Redis[] {
  const connector: unknown = Reflect.get(client, "connector");
  const detector = property(connector, "failoverDetector");
  const sentinels = property(detector, "sentinels");
  if (!Array.isArray(sentinels)) return [];
  return sentinels.map((sentinel) => property(sentinel, "client") as Redis);
}

/** A client may come from another copy of the driver, so its class proves nothing. */
function isServer(client: Redis | Cluster): client is Redis {
  return !client.isCluster;
}

function property(of: unknown, name: string): unknown {
  return typeof of === "object" && of !== null ? Reflect.get(of, name) : undefined;
}
