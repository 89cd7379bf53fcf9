import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { ArangoError } from "../errors.ts";
import { attributeOf, type Json } from "../json.ts";

export type Level = "rw" | "ro" | "none";

interface User {
  readonly password: string;
  readonly grants: Map<string, Level>;
}

const tokenSeconds = 30 * 24 * 3600;

/** Who may do what: users, their databases, and the tokens that stand for them. */
export class Users {
  /** Whether requests need authorization. */
  readonly isRequired: boolean;
  readonly #users = new Map<string, User>();
  readonly #secret: Buffer = randomBytes(32);
  readonly #time: () => number;

  constructor(rootPassword: string | undefined, time: () => number) {
    this.#time = time;
    this.isRequired = rootPassword !== undefined;
    this.add("root", rootPassword ?? "");
    this.grant("root", "*", "rw");
  }

  has(name: string): boolean {
    return this.#users.has(name);
  }

  add(name: string, password: string): void {
    this.#users.set(name, { password, grants: new Map() });
  }

  remove(name: string): void {
    this.#users.delete(name);
  }

  /** For one database, or with `*` for all that have no grant of their own. */
  grant(name: string, database: string, level: Level): void {
    this.#users.get(name)?.grants.set(database, level);
  }

  revoke(name: string, database: string): void {
    this.#users.get(name)?.grants.delete(database);
  }

  levelOf(name: string, database: string): Level {
    const grants = this.#users.get(name)?.grants;
    return grants?.get(database) ?? grants?.get("*") ?? "none";
  }

  /** A token for `/_open/auth`. @throws ArangoError 401 */
  token(name: string, password: string): string {
    if (!this.#accepts(name, password)) throw new ArangoError("unauthorized", "Wrong credentials");
    const now = Math.floor(this.#time() / 1000);
    const payload = { preferred_username: name, iss: "arangodb", iat: now, exp: now + tokenSeconds };
    const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(payload)}`;
    return `${signed}.${this.#sign(signed).toString("base64url")}`;
  }

  /** The user of an `authorization` header; undefined where it names none, or none that is true. */
  authenticate(header: string | undefined): string | undefined {
    const [scheme = "", value = ""] = (header ?? "").split(" ", 2);
    switch (scheme.toLowerCase()) {
      case "basic": {
        const pair = Buffer.from(value, "base64").toString("utf8");
        const colon = pair.indexOf(":");
        const name = pair.slice(0, Math.max(0, colon));
        return this.#accepts(name, pair.slice(colon + 1)) ? name : undefined;
      }
      case "bearer":
        return this.#userOfToken(value);
      default:
        return undefined;
    }
  }

  #accepts(name: string, password: string): boolean {
    return this.#users.get(name)?.password === password;
  }

  #userOfToken(token: string): string | undefined {
    const [header = "", payload = "", signature = ""] = token.split(".");
    const expected = this.#sign(`${header}.${payload}`);
    const given = Buffer.from(signature, "base64url");
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    const claims: Json = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    const name = attributeOf(claims, "preferred_username");
    const isValid = Number(attributeOf(claims, "exp")) * 1000 > this.#time();
    return isValid && typeof name === "string" && this.has(name) ? name : undefined;
  }

  #sign(text: string): Buffer {
    return createHmac("sha256", this.#secret).update(text).digest();
  }
}

function encode(value: Json): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
