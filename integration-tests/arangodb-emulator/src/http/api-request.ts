import type { IncomingHttpHeaders } from "node:http";
import { ArangoError } from "../errors.ts";
import { isDeeperThan, isObject, type Json, type JsonObject } from "../json.ts";
import type { Level } from "../server/users.ts";
import type { Database } from "../storage/database.ts";

/** The server's parser refuses what is nested deeper. */
const maxDepth = 200;
const trueWords = new Set(["true", "yes", "on", "y", "1"]);

export interface ApiRequest {
  readonly method: string;
  /** The path behind the database, decoded: `["_api", "document", "c", "key"]`. */
  readonly path: readonly string[];
  readonly parameters: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly database: Database;
  readonly user: string;
  readonly level: Level;
}

/** The body. @throws ArangoError 600 for what is no JSON, and for what is nested too deep */
export function bodyOf({ text }: ApiRequest): Json {
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ArangoError(
      "corruptedJson",
      `VPackError error: ${error instanceof Error ? error.message : "?"}`,
    );
  }
  if (text.length > 2 * maxDepth && isDeeperThan(value, maxDepth)) {
    throw new ArangoError("corruptedJson", "VPackError error: Too deep nesting in Array/Object");
  }
  return value;
}

/** The body, where it has to be an object. @throws ArangoError 600 */
export function objectBodyOf(request: ApiRequest): JsonObject {
  const body = bodyOf(request);
  if (!isObject(body)) throw new ArangoError("badParameter", "expecting a JSON object in the body");
  return body;
}

/** A parameter that is there counts as false unless it says yes: the text "undefined" is false. */
export function flagOf({ parameters }: ApiRequest, name: string, standard: boolean): boolean {
  const value = parameters.get(name);
  return value === null ? standard : trueWords.has(value.toLowerCase());
}

export function headerOf({ headers }: ApiRequest, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** @throws ArangoError 11 where the user may only read, or nothing at all */
export function checkManagement({ level }: ApiRequest): void {
  if (level !== "rw") throw new ArangoError("forbidden");
}

/** @throws ArangoError 1004 */
export function checkDataWrite({ level }: ApiRequest): void {
  if (level !== "rw") throw new ArangoError("readOnly");
}

/** @throws ArangoError 1230 */
export function checkSystem({ database }: ApiRequest): void {
  if (!database.isSystem) throw new ArangoError("useSystemDatabase");
}
