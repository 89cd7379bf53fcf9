import type { Connection } from "../connection/connection.ts";
import { environmentFault } from "../errors.ts";
import type { Repair } from "./write-queue.ts";

/**
 * After a failed write nothing is appended to the same log. LevelDB may have written part of a record (the disk was full),
 * and later records are lost when the log is read again, acknowledged or not. So the database is reopened before the next
 * write, as soon as there is space for that; until then it can be read.
 */
export class Recovery implements Repair {
  readonly #connection: Pick<Connection, "renew" | "custody">;
  readonly #before: () => Promise<void>;
  readonly #after: () => void;
  #damaged = false;
  #renewing: Promise<void> | undefined;

  /** `before` ends the reads under way. `after` runs once the failed write may turn out to be written. */
  constructor(
    connection: Pick<Connection, "renew" | "custody">,
    before: () => Promise<void>,
    after: () => void,
  ) {
    this.#connection = connection;
    this.#before = before;
    this.#after = after;
  }

  /** Defined while the database is being reopened and may not be readable. Rejects if it was left as it was. */
  get renewing(): Promise<void> | undefined {
    return this.#renewing;
  }

  doubt(): Error | undefined {
    return this.#connection.custody.glance();
  }

  /** If the files are gone, that is reported as the reason, whatever LevelDB's error is. */
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
