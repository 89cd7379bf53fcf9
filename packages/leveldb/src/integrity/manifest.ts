import { logRecords } from "./log-records.ts";

/** The fields of a manifest that are needed here, as of its end. */
export interface Manifest {
  /** Logs before this one are in tables. */
  readonly logNumber: number;
  /** One earlier log that is still to be read; `0`: none. */
  readonly previousLog: number;
  /** The number of the last write in a table or a log when the manifest was last written. */
  readonly lastSequence: bigint;
}

/** Tags of db/version_edit.cc of LevelDB. */
const COMPARATOR = 1;
const LOG_NUMBER = 2;
const NEXT_FILE = 3;
const LAST_SEQUENCE = 4;
const COMPACT_POINTER = 5;
const DELETED_FILE = 6;
const NEW_FILE = 7;
const PREVIOUS_LOG = 9;

/** `undefined`: the manifest has an unknown field. */
export function parseManifest(file: Buffer): Manifest | undefined {
  const found = { logNumber: 0, previousLog: 0, lastSequence: 0n };
  for (const record of logRecords(file).records) {
    const fields = new Fields(record);
    while (!fields.atEnd) if (!readField(fields, found)) return undefined;
    if (fields.overran) return undefined;
  }
  return found;
}

function readField(
  fields: Fields,
  found: { logNumber: number; previousLog: number; lastSequence: bigint },
): boolean {
  switch (Number(fields.number())) {
    case COMPARATOR:
      fields.skipText();
      return true;
    case LOG_NUMBER:
      found.logNumber = Number(fields.number());
      return true;
    case NEXT_FILE:
      fields.number();
      return true;
    case LAST_SEQUENCE:
      found.lastSequence = fields.number();
      return true;
    case COMPACT_POINTER:
      fields.number();
      fields.skipText();
      return true;
    case DELETED_FILE:
      fields.number();
      fields.number();
      return true;
    case NEW_FILE:
      for (let i = 0; i < 3; i++) fields.number();
      fields.skipText();
      fields.skipText();
      return true;
    case PREVIOUS_LOG:
      found.previousLog = Number(fields.number());
      return true;
    default:
      return false;
  }
}

/** Reads numbers, seven bits a byte and the lowest first, and text, which follows its length. */
class Fields {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  get overran(): boolean {
    return this.#at > this.#bytes.length;
  }

  number(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 64n; shift += 7n) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) break;
    }
    return value;
  }

  skipText(): void {
    const length = Number(this.number());
    this.#at += length;
  }
}
