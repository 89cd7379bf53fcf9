// How files are named below the directory. Names consist of A-Z a-z 0-9 . _ - % ~ @ only, and no part begins with a dot.
// Files with other names are neither read nor removed.
//
//   objects/ab/cdef…            the SHA-256 of its content, after two digits; `.gz` if it is compressed
//   entries/@team/@a%2Fb/report/2026-11-20T12-35-13.123Z-ab12cd34ef56-9f8e7d6c.json
//            namespace    key       time of the write       SHA-256      makes it unique
//
// The names of entries/ are for people: the index records which file belongs to which key.

import { createHash, randomBytes } from "node:crypto";
import type { Namespace } from "@kv/core";

const OBJECT = /^objects\/[0-9a-f]{2}\/[0-9a-f]{62}(\.gz)?$/;
const SEGMENT = /^[A-Za-z0-9_@%~-][A-Za-z0-9._@%~-]{0,254}$/;
const WRITE = /^\d{4,6}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z-[0-9a-f]{12}-[0-9a-f]{8}(\.[A-Za-z0-9]{1,8}){0,2}$/;

/** The name of a link beside the files of a key, which is not an entry's file: see `latest-link.ts`. */
export const LATEST = "latest";

/** Whether this is a valid file name: only such files are looked for or removed. */
export function isFileName(name: string): boolean {
  if (OBJECT.test(name)) return true;
  const [top, ...parts] = name.split("/");
  const last = parts.pop();
  return (
    top === "entries" &&
    parts.length > 0 &&
    last !== undefined &&
    WRITE.test(last) &&
    parts.every((part) => SEGMENT.test(part))
  );
}

export function contentName(sha256: string, gzip: boolean): string {
  return `objects/${sha256.slice(0, 2)}/${sha256.slice(2)}${gzip ? ".gz" : ""}`;
}

/** The parts of a readable name. */
export interface Write {
  readonly namespace: Namespace;
  readonly key: string;
  readonly sha256: string;
  readonly encoding: string;
  readonly text: boolean;
  readonly gzip: boolean;
}

export function readableName({ namespace, key, sha256, encoding, text, gzip }: Write): string {
  const time = new Date().toISOString().replaceAll(":", "-");
  const unique = randomBytes(4).toString("hex");
  const extension = `${extensionOf(key, encoding, text)}${gzip ? ".gz" : ""}`;
  return `entries/${foldersOf(namespace)}${segment(key)}/${time}-${sha256.slice(0, 12)}-${unique}${extension}`;
}

function extensionOf(key: string, encoding: string, text: boolean): string {
  if (encoding === "json") return ".json";
  if (text) return ".txt";
  return /[^.](\.[A-Za-z0-9]{1,8})$/.exec(key)?.[1] ?? ".bin";
}

/** Paths are limited in length, so a longer namespace is replaced by its digest. */
const LONGEST_FOLDERS = 300;
const LONGEST_SEGMENT = 150;

function foldersOf({ path, id }: Namespace): string {
  const folders = path.map((part) => `@${segment(part)}/`).join("");
  return folders.length > LONGEST_FOLDERS ? `@~${digest(id)}/` : folders;
}

/**
 * Any string as one part of a path. Characters that are not plain, and a leading dot, become `%` and the hexadecimal digits
 * of their UTF-8. A digest is appended if a file system may confuse the name with another (capitals) or refuse it (length).
 */
export function segment(text: string): string {
  const escaped = Array.from(Buffer.from(text), (byte, i) => {
    const character = String.fromCharCode(byte);
    const plain = /[A-Za-z0-9_.-]/.test(character) && !(i === 0 && character === ".");
    return plain ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
  if (escaped.length <= LONGEST_SEGMENT && !/[A-Z]/.test(text)) return escaped;
  return `${escaped.slice(0, LONGEST_SEGMENT)}~${digest(text)}`;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
