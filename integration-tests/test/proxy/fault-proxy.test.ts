import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { FaultProxy } from "../../proxy/fault-proxy.ts";

/** What the server has received, over all connections. */
let received: string;
let proxy: FaultProxy;

/** A server that sends back what it gets, and a proxy before it. */
beforeEach(async () => {
  received = "";
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      received += data;
      socket.write(data);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const started = await FaultProxy.start({ host: "127.0.0.1", port: address.port });
  proxy = started;
  return async () => {
    await started.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  };
});

class Client {
  readonly socket: Socket;
  text = "";
  ended = false;
  error: string | undefined;

  constructor() {
    this.socket = connect(proxy.port, proxy.host);
    this.socket.on("data", (data) => {
      this.text += data;
    });
    this.socket.on("end", () => {
      this.ended = true;
    });
    this.socket.on("error", (error: NodeJS.ErrnoException) => {
      this.error = error.code;
    });
    onTestFinished(() => void this.socket.destroy());
  }

  static async connected(): Promise<Client> {
    const client = new Client();
    await once(client.socket, "connect");
    return client;
  }

  async closed(): Promise<string | undefined> {
    if (!this.socket.closed) await once(this.socket, "close").catch(() => undefined);
    return this.error;
  }

  async says(text: string): Promise<number> {
    const before = performance.now();
    const want = this.text + text;
    this.socket.write(text);
    await expect.poll(() => this.text, { interval: 1, timeout: 5_000 }).toBe(want);
    return performance.now() - before;
  }
}

/** Long enough for loopback to have brought anything that was going to come. */
const quiet = (): Promise<void> => sleep(100);

test("without a fault everything goes through, both ways, to the end", async () => {
  const client = await Client.connected();
  await client.says("hello");
  const large = "x".repeat(5_000_000);
  client.socket.end(large);
  await client.closed();
  expect(client.text.length).toBe("hello".length + large.length);
  expect(client.error).toBeUndefined();
  expect(received.length).toBe(client.text.length);
});

describe("latency", () => {
  test("comes each way, keeps the order, and goes", async () => {
    const client = await Client.connected();
    await client.says("a");
    await proxy.set({ kind: "latency", milliseconds: 150 });
    expect(await client.says("b")).toBeGreaterThanOrEqual(300);
    client.socket.write("c");
    await sleep(10);
    await proxy.heal();
    // Not before the "c" that is still on its way.
    client.socket.write("d");
    await expect.poll(() => client.text).toBe("abcd");
    expect(await client.says("e")).toBeLessThan(300);
  });

  test("does not shorten what a closing connection still has to say", async () => {
    await proxy.set({ kind: "latency", milliseconds: 50 });
    const client = await Client.connected();
    client.socket.end("last words");
    await client.closed();
    expect(client.text).toBe("last words");
  });
});

describe("reset", () => {
  test("breaks the connections that exist, once", async () => {
    const client = await Client.connected();
    await client.says("a");
    proxy.reset();
    expect(await client.closed()).toBe("ECONNRESET");
    await (await Client.connected()).says("b");
  });

  test("as a state, breaks every new connection", async () => {
    const client = await Client.connected();
    await client.says("a");
    await proxy.set({ kind: "reset" });
    expect(await client.closed()).toBe("ECONNRESET");
    expect(await new Client().closed()).toBe("ECONNRESET");
    await proxy.heal();
    await (await Client.connected()).says("b");
  });
});

describe("half-open", () => {
  test("accepts, and then there is silence", async () => {
    await proxy.set({ kind: "half-open" });
    const client = await Client.connected();
    client.socket.write("a");
    await quiet();
    expect(client).toMatchObject({ text: "", ended: false, error: undefined });
    expect(received).toBe("");
    expect(proxy.accepted).toBe(1);
  });

  test("silences the connections that exist, for good", async () => {
    const client = await Client.connected();
    await client.says("a");
    await proxy.set({ kind: "half-open" });
    client.socket.write("b");
    await quiet();
    await proxy.heal();
    client.socket.write("c");
    await quiet();
    expect(client).toMatchObject({ text: "a", ended: false, error: undefined });
    expect(received).toBe("a");
    await (await Client.connected()).says("d");
    proxy.reset();
    expect(await client.closed()).toBe("ECONNRESET");
  });

  test("keeps the end of a server back", async () => {
    const client = await Client.connected();
    await client.says("a");
    await proxy.set({ kind: "half-open" });
    client.socket.end();
    await quiet();
    expect(client).toMatchObject({ ended: false, error: undefined });
  });
});

describe("drop-answers", () => {
  test("the server does what it is asked, and nobody hears", async () => {
    const client = await Client.connected();
    await client.says("a");
    await proxy.set({ kind: "drop-answers" });
    const swallowed = proxy.nextSwallowed();
    client.socket.write("bc");
    await swallowed;
    expect(received).toBe("abc");
    expect(proxy.swallowed).toBe(2);
    await quiet();
    expect(client).toMatchObject({ text: "a", ended: false, error: undefined });
  });

  test("no later answer stands in for one that was lost", async () => {
    const client = await Client.connected();
    await proxy.set({ kind: "drop-answers" });
    client.socket.write("a");
    await proxy.nextSwallowed();
    await proxy.heal();
    client.socket.write("b");
    await quiet();
    expect(received).toBe("ab");
    expect(client.text).toBe("");
    await (await Client.connected()).says("c");
  });

  test("followed by a reset: the answer is lost for certain", async () => {
    const client = await Client.connected();
    await proxy.set({ kind: "drop-answers" });
    client.socket.write("a");
    await proxy.nextSwallowed();
    await proxy.heal();
    proxy.reset();
    expect(await client.closed()).toBe("ECONNRESET");
    expect(received).toBe("a");
  });
});

describe("refuse", () => {
  test("nobody listens, and after it the port is the same", async () => {
    const client = await Client.connected();
    await client.says("a");
    const { port } = proxy;
    await proxy.set({ kind: "refuse" });
    expect(await client.closed()).toBe("ECONNRESET");
    expect(await new Client().closed()).toBe("ECONNREFUSED");
    await proxy.heal();
    expect(proxy.port).toBe(port);
    await (await Client.connected()).says("b");
  });
});

test("a server that is not there: the connection is reset", async () => {
  const nowhere = await FaultProxy.start({ host: "127.0.0.1", port: 1 });
  onTestFinished(() => nowhere.close());
  const socket = connect(nowhere.port, nowhere.host);
  await expect(once(socket, "close")).rejects.toMatchObject({ code: "ECONNRESET" });
});
