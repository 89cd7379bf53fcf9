import type { Connection } from "../connection/connection.ts";
import { environmentFault } from "../errors.ts";
import type { Repair } from "./write-queue.ts";

/**
 * After a failed write nothing is appended to the same log. LevelDB may have written a part of a record (the disk was
 * full), and what stands behind such a part is lost when the log is read again, acknowledged or not. So the database is
 * opened anew before the next write, as soon as there is space to do so; until then it can be read.
 */
export class Recovery implements Repair {
  readonly #connection: Pick<Connection, "renew" | "custody">;
  readonly #before: () => Promise<void>;
  readonly #after: () => void;
  #damaged = false;
  #renewing: Promise<void> | undefined;

  /** `before`: ends what is being read. `after`: the failed write may be found written now. */
  constructor(
    connection: Pick<Connection, "renew" | "custody">,
    before: () => Promise<void>,
    after: () => void,
  ) {
    this.#connection = connection;
    this.#before = before;
    this.#after = after;
  }

  /** While it is given, there may be nothing to read from. It rejects where nothing was changed. */
  get renewing(): Promise<void> | undefined {
    return this.#renewing;
  }

  doubt(): Error | undefined {
    return this.#connection.custody.glance();
  }

  /** Where the files are gone, that is why the write failed, whatever LevelDB says. */
  failed(error: unknown): unknown {
    this.#damaged = true;
    return this.#connection.custody.look() ?? environmentFault(error);
  }

  ready(): Promise<void> | undefined {
    if (!this.#damaged) return undefined;
    this.#renewing = this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renew(): Promise<void> {
    await this.#connection.renew(this.#before);
    this.#damaged = false;
    this.#after();
  }
}
