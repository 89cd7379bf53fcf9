import { connect, type Socket } from "node:net";
import { DelayLine } from "./delay-line.ts";
import type { Fault } from "./fault.ts";

export interface RelayOptions {
  readonly target: { readonly host: string; readonly port: number };
  /** The fault of this moment. */
  readonly fault: () => Fault;
  /** Called whenever bytes of an answer are swallowed. */
  readonly onSwallowed: (bytes: number) => void;
  /** Called when both sides are closed. */
  readonly onEnded: () => void;
}

/** One connection through the proxy: the client's socket, ours to the server, and what is on its way between them. */
export class Relay {
  readonly #near: Socket;
  readonly #options: RelayOptions;
  readonly #lines: DelayLine[] = [];
  #far: Socket | undefined;
  /** Once true, nothing passes in that direction any more: see `Fault`. */
  #requestsLost = false;
  #answersLost = false;

  constructor(near: Socket, options: RelayOptions) {
    this.#near = near;
    this.#options = options;
    near.on("error", () => undefined);
    near.once("close", () => this.#nearClosed());
    if (options.fault().kind === "half-open") this.#goSilent();
    else this.#open();
  }

  /** Both ends see a reset (RST), and bytes in transit are lost. */
  reset(): void {
    for (const line of this.#lines) line.clear();
    this.#far?.resetAndDestroy();
    this.#near.resetAndDestroy();
  }

  /** Applies a changed fault. A silence begins at once, not with the next bytes: the end of a side is held back, too. */
  onFault(): void {
    const { kind } = this.#options.fault();
    if (kind === "half-open") this.#goSilent();
    if (kind === "drop-answers") this.#answersLost = true;
  }

  #goSilent(): void {
    this.#requestsLost = true;
    this.#answersLost = true;
    for (const line of this.#lines) line.clear();
    // Bytes are read and discarded.
    this.#near.resume();
    this.#far?.resume();
  }

  #open(): void {
    const near = this.#near;
    const far = connect({ ...this.#options.target, allowHalfOpen: true, noDelay: true });
    this.#far = far;
    far.on("error", () => {
      if (!this.#answersLost) this.reset();
    });
    far.once("close", () => this.#ended());
    if (this.#options.fault().kind === "drop-answers") this.#answersLost = true;
    this.#forward(near, far, () => this.#requestsLost);
    this.#forward(far, near, () => this.#answersLost, this.#options.onSwallowed);
  }

  #forward(from: Socket, to: Socket, isLost: () => boolean, onSwallowed?: (bytes: number) => void): void {
    const line = new DelayLine();
    this.#lines.push(line);
    from.on("data", (chunk) => {
      if (isLost()) {
        onSwallowed?.(chunk.length);
        return;
      }
      line.push(this.#delay(), () => {
        if (to.write(chunk)) return;
        from.pause();
        to.once("drain", () => from.resume());
      });
    });
    from.on("end", () => {
      if (!isLost()) line.push(this.#delay(), () => to.end());
    });
  }

  #delay(): number {
    const fault = this.#options.fault();
    return fault.kind === "latency" ? fault.milliseconds : 0;
  }

  #nearClosed(): void {
    // During a silence, the server does not learn that the client has gone either, until the proxy closes.
    if (!this.#requestsLost) {
      for (const line of this.#lines) line.clear();
      this.#far?.destroy();
    }
    this.#ended();
  }

  #ended(): void {
    if (this.#near.closed && (this.#far?.closed ?? true)) this.#options.onEnded();
  }
}
