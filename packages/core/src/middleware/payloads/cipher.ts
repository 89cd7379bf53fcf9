import type { Namespace, Payload } from "../../contract/adapter.ts";
import { isBytes } from "../../contract/any-realm.ts";
import type { KeyRing } from "./key-ring.ts";
import { payloadBytes, payloadOf } from "./payload-bytes.ts";
import { corrupt } from "./transformation.ts";

/*
 * The payload of an encrypted entry:
 *
 *   version (1) · length of the key's name · the key's name · initialisation vector (12 bytes) · ciphertext · tag (16
 *   bytes)
 *
 * and the plaintext of it:
 *
 *   length of the user metadata (4 bytes, big-endian; 0: none) · the user metadata · the payload's bytes
 *
 * The encoding, the namespace and the key of the entry are bound to it as additional data.
 */
const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The place of an entry, and its encoding: an entry that was moved elsewhere cannot be decrypted there. */
export interface Place {
  readonly namespace: Namespace;
  readonly key: string;
  readonly encoding: string;
}

/** The encrypted parts of an entry. */
export interface Content {
  readonly payload: Payload;
  readonly user: string | undefined;
}

export async function sealed(ring: KeyRing, place: Place, content: Content): Promise<Uint8Array> {
  const key = await ring.find(ring.current);
  if (key === undefined) throw new TypeError("the current key is one of the ring");
  const name = encoder.encode(ring.current);
  // 96 random bits for each write: NIST SP 800-38D allows 2^32 writes with one key.
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const algorithm = { name: "AES-GCM", iv, additionalData: boundData(place) };
  const ciphertext = await crypto.subtle.encrypt(algorithm, key, plaintextOf(content));
  return joined([Uint8Array.of(VERSION, name.byteLength), name, iv, new Uint8Array(ciphertext)]);
}

/** @throws Refusal `KV_CORRUPT` if the envelope was altered or moved, or its key is missing */
export async function opened(ring: KeyRing, place: Place, envelope: Payload): Promise<Content> {
  const { name, iv, ciphertext } = partsOf(envelope);
  const key = await ring.find(name);
  if (key === undefined) {
    throw corrupt(
      `the entry was encrypted with the key ${JSON.stringify(name)}, which is not among keys; add it`,
    );
  }
  let plaintext: ArrayBuffer;
  try {
    const algorithm = { name: "AES-GCM", iv, additionalData: boundData(place) };
    plaintext = await crypto.subtle.decrypt(algorithm, key, ciphertext);
  } catch (error) {
    throw corrupt(
      "the entry cannot be decrypted: the key is a different one, or the entry was altered or moved",
      error,
    );
  }
  return contentOf(new Uint8Array(plaintext));
}

function partsOf(envelope: Payload) {
  if (!isBytes(envelope) || envelope[0] !== VERSION) {
    throw corrupt("the entry is marked as encrypted, but does not have the form of an encrypted entry");
  }
  // Copied, because drivers return their own subclasses over memory they own.
  const bytes = new Uint8Array(envelope);
  const nameEnd = 2 + (bytes[1] ?? 0);
  const ivEnd = nameEnd + IV_BYTES;
  if (bytes.byteLength < ivEnd + TAG_BYTES)
    throw corrupt("the entry was encrypted, but a part of it is missing");
  return {
    name: new TextDecoder().decode(bytes.subarray(2, nameEnd)),
    iv: bytes.subarray(nameEnd, ivEnd),
    ciphertext: bytes.subarray(ivEnd),
  };
}

function plaintextOf({ payload, user }: Content): Uint8Array<ArrayBuffer> {
  const metadata = encoder.encode(user ?? "");
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, metadata.byteLength);
  return joined([length, metadata, payloadBytes(payload)]);
}

function contentOf(plaintext: Uint8Array): Content {
  const { buffer, byteOffset, byteLength } = plaintext;
  const end = 4 + new DataView(buffer, byteOffset, byteLength).getUint32(0);
  return {
    user: end === 4 ? undefined : decoder.decode(plaintext.subarray(4, end)),
    payload: payloadOf(plaintext.subarray(end)),
  };
}

function boundData({ encoding, namespace, key }: Place): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encoder.encode(JSON.stringify([encoding, namespace.id, key])));
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
