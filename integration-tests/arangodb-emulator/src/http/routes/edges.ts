import { ArangoError } from "../../errors.ts";
import type { Document } from "../../json.ts";
import type { ServerState } from "../../server/server-state.ts";
import { splitId } from "../../storage/names.ts";
import { type Answer, success } from "../answer.ts";
import type { ApiRequest } from "../api-request.ts";
import { inTransaction } from "./documents.ts";

/** `/_api/edges/{collection}?vertex=…&direction=in|out|any` */
export async function edges(request: ApiRequest, state: ServerState): Promise<Answer> {
  const { database, path, parameters } = request;
  const collection = database.collection(path[2] ?? "");
  if (!collection.isEdge) throw new ArangoError("collectionTypeInvalid");
  const direction = parameters.get("direction") ?? "any";
  if (!["in", "out", "any"].includes(direction)) {
    throw new ArangoError("badParameter", "<direction> must be any, in, or out");
  }
  const vertex = parameters.get("vertex") ?? "";
  if (splitId(vertex) === undefined) throw new ArangoError("handleBad");
  const found = await inTransaction(request, state, (transaction) => {
    const [outgoing, incoming] = (
      transaction === undefined ? collection.state : transaction.stateOf(collection)
    ).indexes;
    const ends = { values: [vertex] };
    const all = new Set<Document>();
    for (const index of [
      direction === "in" ? undefined : outgoing,
      direction === "out" ? undefined : incoming,
    ]) {
      if (index === undefined) continue;
      for (const edge of index.range({ ...ends, after: false }, { ...ends, after: true }, false))
        all.add(edge);
    }
    return [...all];
  });
  return success(200, { edges: found, stats: { scannedIndex: found.length, filtered: 0 } });
}
