import { randomUUID } from "node:crypto";
import { Refusal } from "@kv/core";
import type { Link } from "../connection/link.ts";
import { errorCode } from "../errors.ts";
import { LIST } from "../scripts/list-scripts.ts";
import type { Layout, Space } from "../stored/layout.ts";

/**
 * Stores over the same data must use the same layout; the first one records it in the descriptor. FLUSHDB removes the
 * descriptor and the list of namespaces. The next write notices, lists its namespace again and, in the same script, restores
 * the descriptor, unless another store has done so.
 */
export class Agreement {
  readonly #link: Link;
  readonly #layout: Layout;

  constructor(link: Link, layout: Layout) {
    this.#link = link;
    this.#layout = layout;
  }

  /** @throws Refusal `KV_INVALID_OPTION` if the data have another layout */
  async reach(): Promise<void> {
    const { descriptor, description } = this.#layout;
    let found: unknown = await this.#link.call("GET", [descriptor]);
    if (found === null) {
      // A replica cannot record a layout.
      await this.#link.call("SET", [descriptor, description, "NX"]).catch(ignoreReadOnly);
      found = (await this.#link.call("GET", [descriptor])) ?? description;
    }
    this.#assertOurs(found);
  }

  /**
   * Adds a space to the list of those that may hold entries.
   * @throws Refusal `KV_INVALID_OPTION` if the data have another layout; nothing is listed then
   */
  async list({ tag }: Space): Promise<void> {
    const { descriptor, description, list } = this.#layout;
    this.#assertOurs(await this.#link.query(LIST, [descriptor, list], [description, tag, randomUUID()]));
  }

  #assertOurs(found: unknown): void {
    const ours = this.#layout.description;
    if (String(found) === ours) return;
    throw new Refusal(
      "KV_INVALID_OPTION",
      `the data under this prefix were laid out with ${String(found).slice(2)}, not with ${ours.slice(2)}; open them with the same options, or use another prefix`,
    );
  }
}

function ignoreReadOnly(error: unknown): void {
  if (errorCode(error) !== "KV_READ_ONLY") throw error;
}
