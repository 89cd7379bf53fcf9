import type { KvErrorCode } from "../../contract/errors.ts";
import { shown } from "../../contract/shown.ts";
import { inThisContext } from "../../runtime/async-context.ts";
import { backgroundInterval, warn } from "../../runtime/platform.ts";

/** `"up"`: the backend answers; `"down"`: it does not. */
export type BackendState = "up" | "down";

/** Called at each change, with the code of the failure that took the backend down. */
export type OnStateChange = (state: BackendState, code: KvErrorCode | undefined) => void;

export interface OutageOptions {
  /** Milliseconds between two probes while it is down. */
  readonly interval: number;
  /** Resolves when the backend answers again. */
  readonly probe: () => Promise<void>;
  readonly onChange: OnStateChange;
}

/** Tracks whether a backend is up. While it is down, it is probed until it answers. */
export class Outage {
  readonly #options: OutageOptions;
  /** Probes belong to no caller: they run in the async context in which the adapter was made. */
  readonly #startProbing: () => () => void;
  #stop: (() => void) | undefined;
  #probing: Promise<void> | undefined;

  constructor(options: OutageOptions) {
    this.#options = options;
    this.#startProbing = inThisContext(() => backgroundInterval(() => this.#probe(), options.interval));
  }

  get isDown(): boolean {
    return this.#stop !== undefined;
  }

  begin(code: KvErrorCode): void {
    if (this.#stop !== undefined) return;
    this.#stop = this.#startProbing();
    this.#options.onChange("down", code);
  }

  /** Stops without calling `onChange`. Returns a promise of the end of a pending probe. */
  async close(): Promise<void> {
    this.#end();
    await this.#probing;
  }

  #end(): boolean {
    const stop = this.#stop;
    this.#stop = undefined;
    stop?.();
    return stop !== undefined;
  }

  #probe(): void {
    this.#probing ??= this.#options
      .probe()
      .then(() => {
        if (this.#end()) this.#options.onChange("up", undefined);
      })
      // Still down; the next probe follows.
      .catch(() => undefined)
      .finally(() => {
        this.#probing = undefined;
      });
  }
}

/** Calls the user's callback, whose errors must not affect the call that it reports. */
export function undisturbed(onChange: OnStateChange | undefined): OnStateChange {
  return (state, code) => {
    try {
      onChange?.(state, code);
    } catch (error) {
      warn(`onChange of fallback() threw ${shown(error)}`);
    }
  };
}
