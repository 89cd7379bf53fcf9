import { randomUUID } from "node:crypto";
import { Refusal } from "@kv/core";
import type { Link } from "../connection/link.ts";
import { errorCode } from "../errors.ts";
import { LIST } from "../scripts/list-scripts.ts";
import type { Layout, Space } from "../stored/layout.ts";

/**
 * Stores over the same data have to lay them out alike. Whoever comes first writes down how. Whoever empties the server
 * removes that, too, and with it that any namespace is listed: the next write notices, lists its namespace, and in the
 * same step writes it down anew, or finds that somebody else came first.
 */
export class Agreement {
  readonly #link: Link;
  readonly #layout: Layout;

  constructor(link: Link, layout: Layout) {
    this.#link = link;
    this.#layout = layout;
  }

  /** @throws Refusal `KV_INVALID_OPTION` where the data are laid out otherwise */
  async reach(): Promise<void> {
    const { descriptor, description } = this.#layout;
    let found: unknown = await this.#link.call("GET", [descriptor]);
    if (found === null) {
      // On a replica there is nothing to lay out.
      await this.#link.call("SET", [descriptor, description, "NX"]).catch(ignoreReadOnly);
      found = (await this.#link.call("GET", [descriptor])) ?? description;
    }
    this.#assertOurs(found);
  }

  /**
   * Puts a space on the list of those that may hold entries.
   * @throws Refusal `KV_INVALID_OPTION` where the data are laid out otherwise; nothing is listed then
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
