import { ArangoError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import type { Collection } from "../storage/collection.ts";
import type { Database } from "../storage/database.ts";
import type { Access } from "./compilation.ts";
import { nameOf } from "./run.ts";

/** The collections that a query writes, and which of them it wants for itself. */
export type WriteTargets = ReadonlyMap<Collection, { readonly isExclusive: boolean }>;

/**
 * Checks what a query does to collections once their names are known, as the server does: every collection has to exist,
 * and after a modification its collection can be neither read nor written again, nor can anything traverse or look up.
 * @throws ArangoError 1203, 1553, 1568, 1579, 1218
 */
export function checkAccesses(
  accesses: readonly Access[],
  database: Database,
  binds: JsonObject,
): WriteTargets {
  const targets = new Map<Collection, { isExclusive: boolean }>();
  const firstSeen = new Map<Collection, number>();
  for (const access of accesses) {
    switch (access.kind) {
      case "function":
        if (targets.size > 0) throw afterModification(`function ${access.name}`);
        continue;
      case "traversal":
        if (targets.size > 0) throw afterModification("traversal");
        continue;
      default:
    }
    const collection = database.collection(nameOf(access.source, binds));
    if (access.kind === "operand") {
      throw new ArangoError(
        "collectionInExpression",
        `AQL: collection '${collection.name}' used as expression operand`,
      );
    }
    if (access.kind === "edges" && !collection.isEdge) {
      throw new ArangoError(
        "collectionTypeInvalid",
        `collection type invalid for collection '${collection.name}': expecting collection type 'edge'`,
      );
    }
    if (access.kind === "edges" || access.kind === "with") continue;
    if (targets.has(collection)) throw afterModification(`collection '${collection.name}'`);
    const seen = firstSeen.get(collection);
    if (seen === undefined) firstSeen.set(collection, access.level);
    if (access.kind !== "write") continue;
    // What an outer query has touched, a subquery can't write.
    if (seen !== undefined && seen < access.level) throw afterModification(`collection '${collection.name}'`);
    targets.set(collection, { isExclusive: access.isExclusive });
  }
  return targets;
}

function afterModification(what: string): ArangoError {
  return new ArangoError("accessAfterModification", `AQL: access after data-modification by ${what}`);
}
