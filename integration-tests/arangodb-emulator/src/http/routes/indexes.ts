import { ArangoError } from "../../errors.ts";
import { attributeOf, isObject, type Json, textOf } from "../../json.ts";
import type { ServerState } from "../../server/server-state.ts";
import type { Collection } from "../../storage/collection.ts";
import { describeIndex, indexDefinitionOf } from "../../storage/indexes/index-definition.ts";
import { type Answer, success } from "../answer.ts";
import { type ApiRequest, bodyOf, checkManagement } from "../api-request.ts";

/** `/_api/index` */
export function indexes(request: ApiRequest, state: ServerState): Answer {
  const { method, path, database, parameters } = request;
  const [, , name, id] = path;
  if (name === undefined) {
    const collection = database.collection(parameters.get("collection") ?? "");
    if (method === "GET") return list(collection);
    if (method !== "POST") throw new ArangoError("methodNotAllowed");
    checkManagement(request);
    const wanted = indexDefinitionOf(bodyOf(request), state.newId());
    const { index, isNew } = collection.ensureIndex(wanted);
    return success(isNew ? 201 : 200, { ...describeIndex(collection.name, index), isNewlyCreated: isNew });
  }
  const collection = database.collection(name);
  const index = find(collection, id ?? "");
  if (method === "GET") return success(200, index);
  if (method !== "DELETE") throw new ArangoError("methodNotAllowed");
  checkManagement(request);
  collection.dropIndex(textOf(index, "id").slice(collection.name.length + 1));
  return success(200, { id: attributeOf(index, "id") });
}

function list(collection: Collection): Answer {
  const all = collection.describeIndexes();
  return success(200, {
    indexes: all,
    identifiers: Object.fromEntries(all.map((index): [string, Json] => [textOf(index, "id"), index])),
  });
}

/** By id or by name. @throws ArangoError 1212 */
function find(collection: Collection, id: string) {
  const found = collection
    .describeIndexes()
    .find(
      (index) => attributeOf(index, "id") === `${collection.name}/${id}` || attributeOf(index, "name") === id,
    );
  if (!isObject(found)) throw new ArangoError("indexNotFound");
  return found;
}
