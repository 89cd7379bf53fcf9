import { ArangoError } from "../../errors.ts";
import type { ServerState } from "../../server/server-state.ts";
import { type Answer, success } from "../answer.ts";
import { type ApiRequest, bodyOf, checkManagement, checkSystem } from "../api-request.ts";

/** `/_api/database` */
export function databases(request: ApiRequest, state: ServerState): Answer {
  const { method, path, database, user } = request;
  const name = path[2];
  if (method === "GET") {
    if (name === "current") {
      const { id, name: current, isSystem } = database;
      return success(200, { result: { id, name: current, path: "none", isSystem } });
    }
    if (name === "user") {
      const names = state.databases.map(({ name: each }) => each);
      return success(200, { result: names.filter((each) => state.users.levelOf(user, each) !== "none") });
    }
    if (name !== undefined) throw new ArangoError("unknownPath");
    checkSystem(request);
    return success(200, { result: state.databases.map(({ name: each }) => each) });
  }
  checkSystem(request);
  checkManagement(request);
  if (method === "POST" && name === undefined) {
    state.createDatabase(bodyOf(request));
    return success(201, { result: true });
  }
  if (method === "DELETE" && name !== undefined) {
    state.dropDatabase(name);
    return success(200, { result: true });
  }
  throw new ArangoError("methodNotAllowed");
}
