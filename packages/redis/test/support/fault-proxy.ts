import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A proxy between a store and its server that can interrupt their traffic. */
export interface FaultProxy {
  readonly port: number;
  /** Breaks all connections. */
  cut(): void;
  /** Discards answers from now on, and breaks all connections after the next answer. */
  dropNextAnswer(): void;
  /** While it is silent, nothing gets through in either direction. */
  silent: boolean;
  /** Silences the present connections permanently, but not later ones. */
  silence(): void;
  close(): Promise<void>;
}

export async function startProxy(target: number): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  const silenced = new WeakSet<Socket>();
  let dropping = false;
  const proxy = {
    port: 0,
    silent: false,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    dropNextAnswer() {
      dropping = true;
    },
    silence() {
      for (const socket of sockets) silenced.add(socket);
    },
    async close() {
      proxy.cut();
      server.close();
      await once(server, "close");
    },
  };
  const server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.on("data", (data) => {
      if (!proxy.silent && !silenced.has(near)) far.write(data);
    });
    far.on("data", (data) => {
      if (proxy.silent || silenced.has(far)) return;
      if (!dropping) {
        near.write(data);
        return;
      }
      dropping = false;
      proxy.cut();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address === "object" && address !== null) proxy.port = address.port;
  return proxy;
}
