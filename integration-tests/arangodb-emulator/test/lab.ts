import { Database } from "arangojs";
import { afterAll, beforeAll } from "vitest";
import { type Emulator, type EmulatorOptions, startEmulator } from "../src/index.ts";

/** The clients of one emulator, which lives as long as the test file. */
export class Lab {
  #emulator: Emulator | undefined;
  #database: Database | undefined;
  #names = 0;

  constructor(options: EmulatorOptions = {}) {
    beforeAll(async () => {
      this.#emulator = await startEmulator(options);
      this.#database = this.client();
    });
    afterAll(async () => {
      await this.#emulator?.close();
    });
  }

  get url(): string {
    if (this.#emulator === undefined) throw new Error("The emulator has not been started.");
    return this.#emulator.url;
  }

  get db(): Database {
    if (this.#database === undefined) throw new Error("The emulator has not been started.");
    return this.#database;
  }

  /** A client of its own. */
  client(options: { readonly username?: string; readonly password?: string } = {}): Database {
    const { username = "root", password } = options;
    return new Database({
      url: this.url,
      poolSize: 64,
      ...(password === undefined ? {} : { auth: { username, password } }),
    });
  }

  /** A new collection. */
  async collection() {
    return this.db.createCollection(`c${++this.#names}`);
  }

  async edges() {
    return this.db.createEdgeCollection(`e${++this.#names}`);
  }

  /** All the results of a query. */
  async all(query: string, bindVars: Record<string, unknown> = {}): Promise<unknown[]> {
    const cursor = await this.db.query<unknown>(query, bindVars);
    return cursor.all();
  }

  /** The only result of `RETURN expression`. */
  async value(expression: string, bindVars: Record<string, unknown> = {}): Promise<unknown> {
    const [value] = await this.all(`RETURN ${expression}`, bindVars);
    return value;
  }

  /** A request that arangojs would not send. */
  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const parsed: unknown = text === "" ? undefined : JSON.parse(text);
    return { status: response.status, headers: response.headers, body: parsed };
  }
}

/** How an operation fails, as `status/errorNum`; `ok` where it doesn't. */
export async function outcome(operation: Promise<unknown>): Promise<string> {
  try {
    await operation;
    return "ok";
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    return `${String(error.code)}/${"errorNum" in error ? String(error.errorNum) : "-"}`;
  }
}

/** What an operation says when it fails. */
export async function messageOf(operation: Promise<unknown>): Promise<string> {
  try {
    await operation;
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
