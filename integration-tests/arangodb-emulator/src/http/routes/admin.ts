import { ArangoError } from "../../errors.ts";
import { attributeOf, textOf } from "../../json.ts";
import type { ServerState } from "../../server/server-state.ts";
import { type Answer, success } from "../answer.ts";
import { type ApiRequest, bodyOf } from "../api-request.ts";

const version = "3.12.9";

/** `/_open/auth` */
export function openAuth(request: ApiRequest, state: ServerState): Answer {
  if (request.path[2] !== undefined) throw new ArangoError("unknownPath");
  const body = bodyOf(request);
  const name = attributeOf(body, "username");
  const password = attributeOf(body, "password");
  if (typeof name !== "string" || typeof password !== "string") throw new ArangoError("badParameter");
  return { status: 200, body: { jwt: state.users.token(name, password) } };
}

/** `/_api/version`, with the one detail that tells the emulator from a server. */
export function getVersion({ parameters }: ApiRequest): Answer {
  const base = { server: "arango", version, license: "community" };
  const details = { emulator: "@kv/arangodb-emulator", "server-version": version, role: "SINGLE" };
  return { status: 200, body: parameters.get("details") === "true" ? { ...base, details } : base };
}

export function getEngine(): Answer {
  return {
    status: 200,
    body: { name: "rocksdb", supports: { indexes: ["primary", "edge", "persistent", "ttl"] } },
  };
}

/** `/_admin/…` */
export function admin({ path }: ApiRequest, state: ServerState): Answer {
  switch (path.slice(1).join("/")) {
    case "server/role":
      return success(200, { role: "SINGLE", mode: "default" });
    case "server/availability":
      return success(200, { mode: "default" });
    case "server/mode":
      return success(200, { mode: "default" });
    case "time":
      return success(200, { time: state.time.now() / 1000 });
    case "status":
      return { status: 200, body: { server: "arango", version, license: "community", mode: "server" } };
    default:
      throw new ArangoError("unknownPath", `unknown path '/${path.join("/")}'`);
  }
}

/** `/_api/user`: as much of it as tests of missing rights need. */
export function users(request: ApiRequest, state: ServerState): Answer {
  const [, , name, kind, database] = request.path;
  if (request.level !== "rw") throw new ArangoError("forbidden");
  if (request.method === "POST" && name === undefined) {
    const body = bodyOf(request);
    const user = textOf(body, "user");
    if (state.users.has(user)) throw new ArangoError("duplicateUser");
    state.users.add(user, textOf(body, "passwd"));
    return success(201, { user, active: true, extra: {} });
  }
  if (name === undefined || !state.users.has(name)) throw new ArangoError("userNotFound");
  if (kind === undefined && request.method === "DELETE") {
    state.users.remove(name);
    return success(202);
  }
  if (kind !== "database" || database === undefined) throw new ArangoError("unknownPath");
  if (request.method === "PUT") {
    const level = attributeOf(bodyOf(request), "grant");
    if (level !== "rw" && level !== "ro" && level !== "none") throw new ArangoError("badParameter");
    state.users.grant(name, database, level);
    return success(200, { [database]: level });
  }
  if (request.method === "DELETE") {
    state.users.revoke(name, database);
    return success(202);
  }
  return success(200, { result: state.users.levelOf(name, database) });
}
