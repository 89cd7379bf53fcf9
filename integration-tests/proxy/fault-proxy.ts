import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { type Fault, none } from "./fault.ts";
import { Relay } from "./relay.ts";

/** Stands between a client and a server on loopback: passes bytes on, or applies a fault. */
export class FaultProxy {
  readonly host = "127.0.0.1";
  readonly #target: { readonly host: string; readonly port: number };
  readonly #relays = new Set<Relay>();
  readonly #waiting = new Set<() => void>();
  #server: Server | undefined;
  #port = 0;
  #fault: Fault = none;
  #accepted = 0;
  #swallowed = 0;

  /** On a free port, without a fault. */
  static async start(target: { readonly host: string; readonly port: number }): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    await proxy.#listen();
    return proxy;
  }

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
  }

  /** Stays the same, also after `refuse`. */
  get port(): number {
    return this.#port;
  }

  get fault(): Fault {
    return this.#fault;
  }

  /** How many connections were accepted so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** How many bytes of answers were swallowed so far. */
  get swallowed(): number {
    return this.#swallowed;
  }

  /** Applies a fault to every connection, until another one is set. */
  async set(fault: Fault): Promise<void> {
    this.#fault = fault;
    if (fault.kind === "refuse") this.#stopListening();
    else if (this.#server === undefined) await this.#listen();
    if (fault.kind === "refuse" || fault.kind === "reset") this.reset();
    else for (const relay of this.#relays) relay.onFault();
  }

  /** Makes new connections work again. Connections that a fault has silenced stay silent: `reset` ends them. */
  heal(): Promise<void> {
    return this.set(none);
  }

  /** Resets the existing connections. */
  reset(): void {
    for (const relay of this.#relays) relay.reset();
  }

  /** Resolves when the next piece of an answer is swallowed, which means that the server has handled the request. */
  nextSwallowed(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
    });
  }

  async close(): Promise<void> {
    this.#stopListening();
    this.reset();
  }

  async #listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#accept(near));
    this.#server = server;
    server.listen(this.#port, this.host);
    await once(server, "listening");
    const address = server.address();
    if (address !== null && typeof address !== "string") this.#port = address.port;
  }

  #stopListening(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  #accept(near: Socket): void {
    this.#accepted++;
    if (this.#fault.kind === "reset" || this.#fault.kind === "refuse") {
      near.on("error", () => undefined);
      near.resetAndDestroy();
      return;
    }
    const relay = new Relay(near, {
      target: this.#target,
      fault: () => this.#fault,
      onSwallowed: (bytes) => this.#onSwallowed(bytes),
      onEnded: () => this.#relays.delete(relay),
    });
    this.#relays.add(relay);
  }

  #onSwallowed(bytes: number): void {
    this.#swallowed += bytes;
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
