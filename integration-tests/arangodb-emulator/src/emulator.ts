import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { httpServer } from "./http/http-server.ts";
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
}

export interface Emulator {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
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
  });
  const server = httpServer(state);
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const expiry = new Expiry(state, options.ttlFrequency ?? 30_000);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
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
