import type { Connection } from "../connection/connection.ts";
import type { Namespace } from "../contract/adapter.ts";
import { Lane } from "./lane.ts";

/**
 * The lanes of one store: one for each namespace, shared by all its views. Only their views and pending work hold them,
 * because some programs make a namespace for every run.
 */
export class Lanes {
  readonly #connection: Connection;
  readonly #lanes = new Map<string, WeakRef<Lane>>();
  readonly #forgotten = new FinalizationRegistry<string>((id) => {
    if (this.#lanes.get(id)?.deref() === undefined) this.#lanes.delete(id);
  });

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  of(namespace: Namespace): Lane {
    const { id } = namespace;
    const known = this.#lanes.get(id)?.deref();
    if (known !== undefined) return known;
    const lane = new Lane(this.#connection, namespace);
    for (const ancestor of ancestorIds(id)) {
      const above = this.#lanes.get(ancestor)?.deref();
      if (above !== undefined) lane.inherit(above);
    }
    this.#lanes.set(id, new WeakRef(lane));
    this.#forgotten.register(lane, id);
    return lane;
  }

  /** The lanes of a namespace and of all below it. */
  within(namespace: Namespace): Lane[] {
    return this.#alive().filter((lane) => lane.namespace.id.startsWith(namespace.id));
  }

  #alive(): Lane[] {
    return [...this.#lanes.values()].map((lane) => lane.deref()).filter((lane) => lane !== undefined);
  }
}

/** The ids of the namespaces above this one. The cost depends on its depth, not on how many namespaces there are. */
function* ancestorIds(id: string): Generator<string, void, undefined> {
  for (let end = id.length; end > 0; ) {
    // Every segment ends in a slash and contains no other.
    end = id.lastIndexOf("/", end - 2) + 1;
    yield id.slice(0, end);
  }
}
