import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { ArangoError } from "../errors.ts";
import { attributeOf, type Json } from "../json.ts";
import type { ServerState } from "../server/server-state.ts";
import type { Answer } from "./answer.ts";
import type { ApiRequest } from "./api-request.ts";
import type { Intercepted, InterceptedRequest, Interceptor } from "./interception.ts";
import { isOpen, route } from "./router.ts";

/** Speaks HTTP for a server state. It does not listen yet. */
export function httpServer(state: ServerState, interceptors: ReadonlySet<Interceptor>): Server {
  const server = createServer((incoming, outgoing) => {
    // An interceptor that throws ends the connection.
    respond(incoming, outgoing, state, interceptors).catch(() => incoming.socket.destroy());
  });
  server.keepAliveTimeout = 60_000;
  return server;
}

async function respond(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  state: ServerState,
  interceptors: ReadonlySet<Interceptor>,
): Promise<void> {
  const text = await textOf(incoming).catch(() => undefined);
  // The client is gone, with half of its request.
  if (text === undefined) return;
  let proceed = () => answer(incoming, text, state);
  let result: Intercepted;
  if (interceptors.size === 0) result = await proceed();
  else {
    const request = interceptedRequest(incoming, text);
    let outcome: Intercepted | undefined;
    for (const interceptor of interceptors) {
      const inner = proceed;
      proceed = async () => {
        const made = await interceptor(request, inner);
        if (isAnswer(made)) return made;
        outcome = made;
        return { status: 500 };
      };
    }
    const answered = await proceed();
    result = outcome ?? answered;
  }
  if (isAnswer(result)) send(incoming, outgoing, result);
  else if (result === "reset") incoming.socket.destroy();
  else if ("stalled" in result) stall(outgoing, result.stalled);
  else {
    outgoing.writeHead(result.status, { "content-type": "text/html", ...result.headers });
    outgoing.end(result.text);
  }
}

function isAnswer(result: Intercepted): result is Answer {
  return result !== "reset" && !("stalled" in result) && !("text" in result);
}

/** Begins an answer, and does not go on. */
function stall(outgoing: ServerResponse, { status, body }: Answer): void {
  const text = JSON.stringify(body) ?? "";
  outgoing.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
  });
  outgoing.write(text.slice(0, text.length / 2));
}

function interceptedRequest(incoming: IncomingMessage, text: string): InterceptedRequest {
  let body: Json = null;
  try {
    body = JSON.parse(text);
  } catch {
    // No JSON: the body is none of an interceptor's business.
  }
  const url = incoming.url ?? "/";
  const query = /\/_api\/cursor$/.test(url) ? attributeOf(body, "query") : null;
  const aql = typeof query === "string" ? query : "";
  return {
    method: incoming.method ?? "GET",
    url,
    headers: incoming.headers,
    body,
    query: aql,
    writes: /\b(?:INSERT|UPDATE|REPLACE|REMOVE|UPSERT)\b/.test(aql),
  };
}

async function answer(incoming: IncomingMessage, text: string, state: ServerState): Promise<Answer> {
  try {
    const request = requestOf(incoming, text, state);
    return await route(request, state);
  } catch (error) {
    if (error instanceof ArangoError) return answerTo(error);
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    // A fault of the emulator, and no answer of a server: it should be found, not retried.
    return {
      status: 500,
      body: { error: true, code: 500, errorNum: 4, errorMessage: `internal error: ${message}` },
    };
  }
}

function answerTo(error: ArangoError): Answer {
  const headers =
    error.code === 401 ? { "www-authenticate": 'Bearer token_type="JWT", realm="ArangoDB"' } : {};
  return { status: error.code, body: error.body, headers };
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? "" : Buffer.concat(chunks).toString("utf8");
}

/** @throws ArangoError 11 without authorization, 1228 for an unknown database */
function requestOf(incoming: IncomingMessage, text: string, state: ServerState): ApiRequest {
  const [pathname = "", search = ""] = splitAtFirst(incoming.url ?? "/", "?");
  const segments = pathname
    .split("/")
    .filter((segment) => segment !== "")
    .map(decoded);
  const isPrefixed = segments[0] === "_db";
  const name = isPrefixed ? (segments[1] ?? "") : "_system";
  const path = isPrefixed ? segments.slice(2) : segments;
  const user = authenticated(incoming, path, state);
  const database = state.database(name);
  const level = state.users.isRequired && !isOpen(path) ? state.users.levelOf(user, name) : "rw";
  if (level === "none") throw new ArangoError("notAuthorized");
  const parameters = new URLSearchParams(search);
  return {
    method: incoming.method ?? "GET",
    path,
    parameters,
    headers: incoming.headers,
    text,
    database,
    user,
    level,
  };
}

function authenticated(incoming: IncomingMessage, path: readonly string[], state: ServerState): string {
  if (!state.users.isRequired || isOpen(path)) return "root";
  const user = state.users.authenticate(incoming.headers.authorization);
  if (user === undefined) throw new ArangoError("notAuthorized");
  return user;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new ArangoError("badParameter", "invalid URL encoding");
  }
}

/** With its body in JSON; what is too large or too deep for that is error 32 instead. */
function inJson(answered: Answer): [Answer, string] {
  try {
    return [answered, JSON.stringify(answered.body) ?? ""];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const refusal = answerTo(new ArangoError("resourceLimit", `the answer is too large: ${message}`));
    return [refusal, JSON.stringify(refusal.body)];
  }
}

function splitAtFirst(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function send(incoming: IncomingMessage, outgoing: ServerResponse, answered: Answer): void {
  if (outgoing.destroyed) return;
  const [{ status, body, headers }, json] = inJson(answered);
  const text = body === undefined || incoming.method === "HEAD" ? "" : json;
  outgoing.writeHead(status, {
    server: "ArangoDB",
    "x-content-type-options": "nosniff",
    "x-arango-queue-time-seconds": "0.000000",
    ...(status === 304 ? {} : { "content-type": "application/json; charset=utf-8" }),
    "content-length": Buffer.byteLength(text),
    ...headers,
  });
  outgoing.end(text);
}
