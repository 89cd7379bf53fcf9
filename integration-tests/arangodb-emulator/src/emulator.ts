import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { httpServer } from "./http/http-server.ts";
import type { Interceptor } from "./http/interception.ts";
import { Expiry } from "./server/expiry.ts";
import { ServerState } from "./server/server-state.ts";

export interface EmulatorOptions {
  /** Where to listen on loopback; a free port by default. */
  readonly port?: number;
  /** Root's. Without one, requests need no authorization. */
  readonly password?: string;
  /** The language of string order, fixed for the emulator's life: `en_US_POSIX` (default), `en_US`, `da`, `cs`, … */
  readonly language?: string;
  /**
   * Whether "A" comes before "a": true (default) is what the server does with `LANG` and `--default-language`, false what
   * it does with `--icu-language`.
   */
  readonly upperFirst?: boolean;
  /** Milliseconds between two runs of the thread that removes expired documents; 30 000 by default. */
  readonly ttlFrequency?: number;
  /** Milliseconds without a request after which a stream transaction is aborted; 60 000 by default. */
  readonly transactionIdleTimeout?: number;
  /** False makes every query look at whole collections, to compare results with. */
  readonly useIndexes?: boolean;
  /** Milliseconds since 1970 by the server's clock; `Date.now` by default. */
  readonly clock?: () => number;
  /** How many queries that write run at once, as on a server with so many threads; 32 by default. The others queue. */
  readonly writersAtOnce?: number;
}

export interface Emulator {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  /** Sets the server's clock: so many milliseconds ahead of what it was started with; negative: behind. */
  setClock(ahead: number): void;
  /** Lets something stand between requests and their answers, the last one outermost. → takes it away again */
  intercept(interceptor: Interceptor): () => void;
  /** Takes away whatever no AQL query with `waitForSync` has put on disk, as a loss of power would. */
  losePower(): void;
  /** Ends every connection and forgets everything. */
  close(): Promise<void>;
}

/** Starts a server with an empty `_system` database. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const state = new ServerState({
    language: { name: options.language ?? "en_US_POSIX", upperFirst: options.upperFirst ?? true },
    password: options.password,
    useIndexes: options.useIndexes ?? true,
    transactionIdleTimeout: options.transactionIdleTimeout ?? 60_000,
    clock: options.clock ?? (() => Date.now()),
    writersAtOnce: options.writersAtOnce ?? 32,
  });
  const interceptors = new Set<Interceptor>();
  const server = httpServer(state, interceptors);
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const expiry = new Expiry(state, options.ttlFrequency ?? 30_000);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    setClock(ahead): void {
      state.time.ahead = ahead;
    },
    intercept(interceptor): () => void {
      interceptors.add(interceptor);
      return () => interceptors.delete(interceptor);
    },
    losePower(): void {
      state.disk.losePower(state.databases);
    },
    async close(): Promise<void> {
      expiry.stop();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      state.close();
    },
  };
}
