import { once } from "node:events";
import { createServer, type Socket } from "node:net";

/** Answers like an empty Redis server, with a clock and connections that a test controls. */
export interface FakeServer {
  readonly port: number;
  /** Milliseconds that its clock is ahead. */
  ahead: number;
  /** The last script's keys and arguments. */
  readonly written: string;
  /** Breaks all connections. */
  cut(): void;
  /** Breaks all connections, and new ones immediately. */
  refuse(refused: boolean): void;
  close(): void;
}

const REPLIES: Readonly<Record<string, string>> = {
  hello: "-NOPROTO unsupported protocol version\r\n",
  get: "$-1\r\n",
  info: "$0\r\n\r\n",
  hscan: "*2\r\n$1\r\n0\r\n*0\r\n",
  config: "*0\r\n",
  evalsha: ":0\r\n",
};

export async function startFakeServer(): Promise<FakeServer> {
  const sockets = new Set<Socket>();
  let refused = false;
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    if (refused) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    let text = "";
    socket.on("data", (data) => {
      text += data.toString("latin1");
      for (let command = taken(text); command !== undefined; command = taken(text)) {
        if (command.name === "evalsha") fake.written = text.slice(0, command.length);
        text = text.slice(command.length);
        socket.write(command.name === "time" ? time(fake.ahead) : (REPLIES[command.name] ?? "+OK\r\n"));
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const fake: FakeServer & { written: string } = {
    port: typeof address === "object" && address !== null ? address.port : 0,
    ahead: 0,
    written: "",
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    refuse(now) {
      refused = now;
      if (now) fake.cut();
    },
    close() {
      fake.cut();
      server.close();
    },
  };
  return fake;
}

/** The first command of a text, if it is complete. */
function taken(text: string): { readonly name: string; readonly length: number } | undefined {
  let at = text.indexOf("\r\n") + 2;
  if (at < 2) return undefined;
  let name = "";
  for (let left = Number(text.slice(1, at)); left > 0; left--) {
    const end = text.indexOf("\r\n", at);
    if (end === -1) return undefined;
    const size = Number(text.slice(at + 1, end));
    const argument = text.slice(end + 2, end + 2 + size);
    at = end + 2 + size + 2;
    if (at > text.length) return undefined;
    if (name === "") name = argument.toLowerCase();
  }
  return { name, length: at };
}

function time(ahead: number): string {
  const now = Date.now() + ahead;
  const [seconds, micros] = [String(Math.floor(now / 1000)), String((now % 1000) * 1000)];
  return `*2\r\n$${seconds.length}\r\n${seconds}\r\n$${micros.length}\r\n${micros}\r\n`;
}
