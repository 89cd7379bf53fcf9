import { isBytes, isCryptoKey } from "../../contract/any-realm.ts";
import { invalidOption } from "../parts/middleware-options.ts";

/** 32 random bytes, or an AES-GCM key of 256 bits that may encrypt and decrypt. */
export type EncryptionKey = Uint8Array | CryptoKey;

const KEY_BYTES = 32;
const ID = /^[\w.-]{1,64}$/;

/** The keys of an encrypting middleware: the one that writes, and all that it reads with. */
export class KeyRing {
  readonly current: string;
  readonly #keys: ReadonlyMap<string, EncryptionKey>;
  readonly #imported = new Map<string, Promise<CryptoKey>>();

  /** @throws Refusal `KV_INVALID_OPTION` */
  constructor(keys: Readonly<Record<string, EncryptionKey>>, current: string) {
    this.#keys = new Map(
      Object.entries(keys).map(([id, key]) => {
        if (!ID.test(id)) invalidOption(`a key's name must be 1 to 64 letters, digits, ".", "_" and "-"`);
        return [id, checkedKey(id, key)];
      }),
    );
    if (!this.#keys.has(current)) invalidOption("current must be the name of one of keys");
    this.current = current;
  }

  /** The key of this name, ready for use; `undefined` if there is none. */
  find(id: string): Promise<CryptoKey> | undefined {
    const key = this.#keys.get(id);
    if (key === undefined) return undefined;
    let imported = this.#imported.get(id);
    if (imported === undefined) {
      imported = isBytes(key) ? importedKey(key) : Promise.resolve(key);
      this.#imported.set(id, imported);
    }
    return imported;
  }
}

/** Copied, so that the caller may overwrite its own bytes. */
function checkedKey(id: string, key: unknown): EncryptionKey {
  if (isBytes(key) && key.byteLength === KEY_BYTES) return new Uint8Array(key);
  if (isCryptoKey(key)) {
    const { name, length } = key.algorithm as AesKeyAlgorithm;
    const usable = key.usages.includes("encrypt") && key.usages.includes("decrypt");
    if (name === "AES-GCM" && length === KEY_BYTES * 8 && usable) return key;
  }
  // The message never contains the key itself.
  return invalidOption(
    `the key ${JSON.stringify(id)} must be 32 random bytes (a Uint8Array) or an AES-GCM CryptoKey of 256 bits for "encrypt" and "decrypt"; derive it from a password with a function made for that, such as scrypt`,
  );
}

function importedKey(key: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", new Uint8Array(key), "AES-GCM", false, ["encrypt", "decrypt"]);
}
