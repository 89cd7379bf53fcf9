import { resultAt } from "../../adapter-parts/answers.ts";
import { forward } from "../../adapter-parts/forward.ts";
import type {
  Adapter,
  Bounds,
  ChangeListener,
  Commit,
  CommitResult,
  MaybePromise,
  Namespace,
  Pages,
} from "../../contract/adapter.ts";
import type { Capabilities } from "../../contract/capabilities.ts";
import { ROOT } from "../../contract/namespace.ts";
import { after, rescued } from "../../runtime/maybe-promise.ts";
import { codeOf, type IsOutage } from "../parts/failure-code.ts";
import { begunPages, remainingPages } from "../parts/first-page.ts";
import { asForm } from "../payloads/payload-form.ts";
import { nothing } from "./empty-adapter.ts";
import { type OnStateChange, Outage } from "./outage.ts";

export interface Degrading {
  readonly to: Adapter | "nothing";
  readonly when: IsOutage;
  /** Milliseconds. */
  readonly probe: number;
  readonly onChange: OnStateChange;
}

interface Watching {
  readonly namespace: Namespace;
  readonly bounds: Bounds;
  readonly listener: ChangeListener;
  readonly unwatchSecondary: () => void;
  /** `undefined` if the primary was down when the watch began. */
  unwatchPrimary: (() => void) | undefined;
  ended: boolean;
}

/** Serves from a primary adapter while that is up, and from a secondary one while it is down. */
export class DegradingAdapter {
  readonly #primary: Adapter;
  readonly #secondary: Adapter;
  readonly #when: IsOutage;
  readonly #outage: Outage;
  readonly #watching = new Set<Watching>();
  #primaryIsOpen = false;
  #closed = false;
  readonly adapter: Adapter;

  constructor(primary: Adapter, { to, when, probe, onChange }: Degrading) {
    const secondary = to === "nothing" ? nothing(primary) : asForm(to, primary.form);
    this.#primary = primary;
    this.#secondary = secondary;
    this.#when = when;
    this.#outage = new Outage({
      interval: probe,
      probe: () => this.#probe(),
      onChange: (state, code) => {
        onChange(state, code);
        for (const { listener } of this.#watching) listener([{ type: "resync" }]);
      },
    });
    this.adapter = forward(primary, {
      capabilities: common(primary.capabilities, secondary.capabilities),
      // Deadlines are compared by the clock of the adapter that holds the entries.
      clock: () => this.#current.clock(),
      syncClock: this.#syncClock(),
      open: () => this.#open(),
      close: () => this.#close(),
      read: (namespace, keys, payloadsOnly) =>
        this.#call((adapter) => adapter.read(namespace, keys, payloadsOnly)),
      commit: (namespace, commits) => this.#commit(namespace, commits),
      scan: (namespace, range) => this.#pages((adapter) => adapter.scan(namespace, range)),
      count: (namespace, bounds) => this.#call((adapter) => adapter.count(namespace, bounds)),
      clear: (namespace, filter) => this.#call((adapter) => adapter.clear(namespace, filter)),
      namespaces: (under) => this.#pages((adapter) => adapter.namespaces(under)),
      stats: (namespace, bounds) => this.#call((adapter) => adapter.stats(namespace, bounds)),
      sweep: () =>
        after(this.#secondary.sweep(), (removed) =>
          this.#outage.isDown
            ? removed
            : after(
                this.#call((adapter) => (adapter === this.#primary ? adapter.sweep() : 0)),
                (more) => removed + more,
              ),
        ),
      watch: (namespace, bounds, listener) => this.#watch(namespace, bounds, listener),
      errorCode: (error) => primary.errorCode(error) ?? secondary.errorCode(error),
    });
  }

  get #current(): Adapter {
    return this.#outage.isDown ? this.#secondary : this.#primary;
  }

  /** `undefined` if neither adapter's clock is a server's. */
  #syncClock(): Adapter["syncClock"] {
    const [primary, secondary] = [this.#primary, this.#secondary];
    if (primary.syncClock === undefined && secondary.syncClock === undefined) return undefined;
    return () => {
      if (this.#outage.isDown) return secondary.syncClock?.();
      return primary.syncClock?.()?.catch((error: unknown) => {
        if (!this.#isOutage(error)) throw error;
        return secondary.syncClock?.();
      });
    };
  }

  /** Whether the failure means that the primary is down, which is recorded then. */
  #isOutage(error: unknown): boolean {
    const code = codeOf(this.#primary, error);
    if (!this.#when(code, error)) return false;
    if (!this.#closed) this.#outage.begin(code);
    return true;
  }

  #call<T>(run: (adapter: Adapter) => MaybePromise<T>): MaybePromise<T> {
    if (this.#outage.isDown) return run(this.#secondary);
    return rescued(
      () => run(this.#primary),
      (error) => {
        if (!this.#isOutage(error)) throw error;
        return run(this.#secondary);
      },
    );
  }

  #pages<T>(run: (adapter: Adapter) => Pages<T>): Pages<T> {
    if (this.#outage.isDown) return run(this.#secondary);
    const begin = () => this.#call((adapter) => begunPages(run(adapter)));
    return (async function* () {
      yield* remainingPages(await begin());
    })();
  }

  /** Commits that failed by themselves because the primary went down are made in the secondary, too. */
  #commit(namespace: Namespace, commits: readonly Commit[]): MaybePromise<CommitResult[]> {
    if (this.#outage.isDown) return this.#secondary.commit(namespace, commits);
    return after(
      this.#call((adapter) => adapter.commit(namespace, commits)),
      (results) => {
        const places = [...results.keys()].filter((place) => {
          const result = results[place];
          return result?.status === "error" && this.#isOutage(result.error);
        });
        if (places.length === 0) return results;
        const again = places.map((place) => commits[place]!);
        return after(this.#secondary.commit(namespace, again), (made) =>
          results.map((result, place) => {
            const at = places.indexOf(place);
            return at === -1 ? result : resultAt(made, at);
          }),
        );
      },
    );
  }

  async #open(): Promise<void> {
    this.#closed = false;
    await this.#secondary.open();
    try {
      await this.#primary.open();
      this.#primaryIsOpen = true;
    } catch (error) {
      if (this.#isOutage(error)) return;
      await this.#secondary.close();
      throw error;
    }
  }

  async #close(): Promise<void> {
    this.#closed = true;
    const wasDown = this.#outage.isDown;
    await this.#outage.close();
    try {
      if (this.#primaryIsOpen) await this.#primary.close();
    } catch (error) {
      // A backend that cannot be reached cannot be closed properly, either.
      if (!wasDown && !this.#isOutage(error)) throw error;
    } finally {
      this.#primaryIsOpen = false;
      await this.#secondary.close();
    }
  }

  async #probe(): Promise<void> {
    if (this.#primaryIsOpen) await this.#primary.read(ROOT, ["ping"]);
    else {
      await this.#primary.open();
      this.#primaryIsOpen = true;
    }
    for (const watching of this.#watching) {
      if (watching.unwatchPrimary === undefined) await this.#watchPrimary(watching);
    }
  }

  #watch(namespace: Namespace, bounds: Bounds, listener: ChangeListener): MaybePromise<() => void> {
    return after(
      this.#secondary.watch?.(namespace, bounds, listener) ?? (() => undefined),
      (unwatchSecondary) => {
        const watching: Watching = {
          namespace,
          bounds,
          listener,
          unwatchSecondary,
          unwatchPrimary: undefined,
          ended: false,
        };
        this.#watching.add(watching);
        const begun = this.#outage.isDown
          ? undefined
          : rescued(
              () => this.#watchPrimary(watching),
              (error) => {
                if (this.#isOutage(error)) return;
                this.#unwatch(watching);
                throw error;
              },
            );
        return after(begun, () => () => this.#unwatch(watching));
      },
    );
  }

  #watchPrimary(watching: Watching): MaybePromise<void> {
    const { namespace, bounds, listener } = watching;
    return after(this.#primary.watch?.(namespace, bounds, listener) ?? (() => undefined), (unwatch) => {
      if (watching.ended) unwatch();
      else watching.unwatchPrimary = unwatch;
    });
  }

  #unwatch(watching: Watching): void {
    watching.ended = true;
    this.#watching.delete(watching);
    watching.unwatchSecondary();
    watching.unwatchPrimary?.();
    watching.unwatchPrimary = undefined;
  }
}

/** The capabilities that both have. */
function common(a: Capabilities, b: Capabilities): Capabilities {
  return {
    persistent: a.persistent && b.persistent,
    shared: a.shared && b.shared,
    ordered: a.ordered && b.ordered,
    snapshotScans: a.snapshotScans && b.snapshotScans,
    atomic: a.atomic === "namespace" ? b.atomic : a.atomic,
    // A read of one does not see a write to the other.
    linearizable: false,
    watch: a.watch === false || b.watch === false ? false : a.watch === b.watch ? a.watch : "local",
  };
}
