import type { Adapter, Middleware } from "../../contract/adapter.ts";
import type { Duration } from "../../contract/duration.ts";
import type { KvErrorCode } from "../../contract/errors.ts";
import { observed } from "../observing/observation.ts";
import { codeOf, type IsOutage, isDown } from "../parts/failure-code.ts";
import {
  checkedOptions,
  durationOption,
  functionOption,
  invalidOption,
} from "../parts/middleware-options.ts";
import { DegradingAdapter } from "./degrading-adapter.ts";
import { type OnStateChange, undisturbed } from "./outage.ts";
import { timeout } from "./timeout.ts";

interface CommonOptions {
  /**
   * Which failures mean that the backend is down, by code and the adapter's own error. Default: `KV_UNAVAILABLE` and
   * `KV_TIMEOUT`, except for a healthy backend that another process holds (`Refusal.held`).
   */
  readonly when?: ((code: KvErrorCode, error: unknown) => boolean) | undefined;
  /** Called when the backend goes down and when it is back. An error it throws is reported as a process warning. */
  readonly onChange?: OnStateChange | undefined;
}

export interface DegradeOptions extends CommonOptions {
  readonly mode: "degrade";
  /**
   * The adapter that serves while the backend is down: another one, which this opens and closes; or `"nothing"`: reads find
   * nothing, and writes are dropped without an error.
   */
  readonly to: Adapter | "nothing";
  /**
   * How long the backend may take to answer before it counts as down. Shorter than the store's `timeout`. A number is
   * seconds. Default: 2 s.
   */
  readonly after?: Duration | undefined;
  /** How often a backend that is down is probed. A number is seconds. Default: 5 s. */
  readonly probe?: Duration | undefined;
}

export interface FailOptions extends CommonOptions {
  readonly mode: "fail";
}

export type FallbackOptions = DegradeOptions | FailOptions;

/**
 * Sets what happens when the backend is down. `"fail"`: operations fail, as they would without this, and `onChange` is
 * called. `"degrade"`: the other adapter serves from the failing call on, even if the backend is down from the start,
 * and the backend again as soon as it answers a probe. A database that another process holds is not down: unless `when`
 * decides otherwise, nothing replaces it, and operations fail as they would without this.
 *
 * What degrading costs:
 * - While the backend is down, its entries are absent, and only this process sees new writes.
 * - Nothing is carried over. Entries written meanwhile stay in the other adapter, and are there in the next outage.
 * - A write that failed may still have been applied by the backend, and is made once more in the other adapter.
 * - Revisions of one are unknown to the other: a `replace` across the change returns `undefined`, a transaction runs
 *   again. Locks and `create` do not exclude processes that use the other one.
 * - A scan that has begun fails.
 * - Watchers get a `resync` at each change.
 *
 * So use it for data that may be lost, such as caches. With `"nothing"`, `create` always succeeds.
 * @throws KvError `KV_INVALID_OPTION`
 */
export function fallback(options: FallbackOptions): Middleware {
  const known: readonly (keyof DegradeOptions)[] =
    options?.mode === "fail"
      ? ["mode", "when", "onChange"]
      : ["mode", "to", "when", "after", "probe", "onChange"];
  return checkedOptions<FallbackOptions, Middleware>(
    "fallback",
    known as (keyof FallbackOptions)[],
    options,
    (given) => {
      const when = functionOption("when", given.when) ?? isDown;
      const onChange = undisturbed(functionOption("onChange", given.onChange));
      if (given.mode === "fail") return (inner) => failing(inner, when, onChange);
      if (given.mode !== "degrade") invalidOption('mode must be "degrade" or "fail"');
      const { to } = given;
      if (to !== "nothing" && typeof to?.commit !== "function") {
        invalidOption('to must be an adapter, such as memory() of @kv/memory, or "nothing"');
      }
      const limited = timeout({ after: milliseconds(durationOption("after", given.after ?? 2)) });
      const probe = durationOption("probe", given.probe ?? 5);
      return (inner) => new DegradingAdapter(limited(inner), { to, when, probe, onChange }).adapter;
    },
  );
}

function milliseconds(ms: number): Duration {
  return `${ms}ms`;
}

function failing(inner: Adapter, when: IsOutage, onChange: OnStateChange): Adapter {
  let isDown = false;
  return observed(inner, () => (failure) => {
    const code = failure === undefined ? undefined : codeOf(inner, failure.error);
    const down = code !== undefined && when(code, failure?.error);
    // Other failures are answers: the backend is up.
    if (down === isDown) return;
    isDown = down;
    onChange(down ? "down" : "up", code);
  });
}
