import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { ArangoError } from "../errors.ts";
import type { ServerState } from "../server/server-state.ts";
import type { Answer } from "./answer.ts";
import type { ApiRequest } from "./api-request.ts";
import { isOpen, route } from "./router.ts";

/** Speaks HTTP for a server state. It does not listen yet. */
export function httpServer(state: ServerState): Server {
  const server = createServer((incoming, outgoing) => {
    void answer(incoming, state).then((result) => send(incoming, outgoing, result));
  });
  server.keepAliveTimeout = 60_000;
  return server;
}

async function answer(incoming: IncomingMessage, state: ServerState): Promise<Answer> {
  try {
    const text = await textOf(incoming);
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
