import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { Refusal, type StoredEntry } from "@kv/core";

/** An entry and the id of the namespace that it is in. */
export type Row = StoredEntry & { readonly namespace: string };
export type Rows = ReadonlyMap<string, Row>;

interface Content {
  readonly revision: number;
  readonly rows: readonly Row[];
}

/** No two namespaces and keys have the same one. */
export function rowId(namespace: string, key: string): string {
  return JSON.stringify([namespace, key]);
}

/** The file of the example adapter: read when it is opened, then replaced as a whole and by one process only. */
export class JsonFile {
  rows: Rows = new Map();
  readonly #path: string;
  readonly #lock: string;
  #revision = 0;

  constructor(path: string) {
    this.#path = path;
    this.#lock = `${path}.lock`;
  }

  open(): void {
    this.#takeLock();
    try {
      const { revision, rows } = this.#load();
      this.#revision = revision;
      this.rows = new Map(rows.map((row) => [rowId(row.namespace, row.key), fromJson(row)]));
    } catch (error) {
      // An open that fails may be tried again.
      this.close();
      throw error;
    }
  }

  close(): void {
    rmSync(this.#lock);
  }

  /** Saved beside the rows: what comes after a restart differs from all before. */
  nextRevision(): string {
    this.#revision += 1;
    return String(this.#revision);
  }

  /** A file written to the side and renamed is found whole or not at all. Only then it is what is read. */
  save(rows: Rows): void {
    const content: Content = { revision: this.#revision, rows: [...rows.values()].map(asJson) };
    writeFileSync(`${this.#path}.new`, JSON.stringify(content));
    renameSync(`${this.#path}.new`, this.#path);
    this.rows = rows;
  }

  #load(): Content {
    try {
      return JSON.parse(readFileSync(this.#path, "utf8")) as Content;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT")
        return { revision: 0, rows: [] };
      throw error;
    }
  }

  #takeLock(): void {
    try {
      writeFileSync(this.#lock, String(process.pid), { flag: "wx" });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      const holder = Number(readFileSync(this.#lock, "utf8"));
      if (isRunning(holder))
        throw new Refusal("KV_UNAVAILABLE", `process ${holder} has ${this.#path} open; close it there`);
      // Its holder was killed.
      writeFileSync(this.#lock, String(process.pid));
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Bytes have no place in JSON; an encoding other than "json" says what text or bytes they are. */
function asJson(row: Row): Row {
  const { payload } = row;
  return payload instanceof Uint8Array
    ? { ...row, payload: { base64: Buffer.from(payload).toString("base64") } }
    : row;
}

function fromJson(row: Row): Row {
  const { payload, encoding } = row;
  if (encoding === "json" || typeof payload !== "object" || payload === null || !("base64" in payload))
    return row;
  return { ...row, payload: new Uint8Array(Buffer.from(String(payload.base64), "base64")) };
}
