import type { Namespace, SetMutation } from "@kv/core";
import type { Directory } from "../directory/directory.ts";
import { contentName, readableName } from "../directory/file-name.ts";
import { hashed, writeHashed } from "../directory/hashed-file.ts";
import type { Pin } from "../directory/pins.ts";
import type { Settings } from "../options.ts";
import { compressed, contentOf } from "../stored/content.ts";
import { encodingInFile, type Reference, referenceText } from "../stored/reference.ts";

/** Writes payloads to files. */
export class FileWriter {
  readonly #directory: Directory;
  readonly #settings: Settings;

  constructor(directory: Directory, settings: Settings) {
    this.#directory = directory;
    this.#settings = settings;
  }

  /** Writes the file, and returns the mutation with a reference to it in place of the payload. */
  async written(namespace: Namespace, mutation: SetMutation, pin: Pin): Promise<SetMutation> {
    const { layout, gzip, index } = this.#settings;
    const content = contentOf(mutation, index.form, layout === "readable");
    const smaller = gzip ? await compressed(content.bytes) : undefined;
    const bytes = smaller ?? content.bytes;
    const { size, text } = content;
    const zipped = smaller !== undefined;
    const { path, written: sha256 } = await this.#directory.stage(async (handle) => {
      if (smaller === undefined) return writeHashed(handle, bytes);
      await handle.writeFile(smaller);
      return hashed(content.bytes);
    });
    try {
      const file = this.nameOf(namespace, mutation, { sha256, text, gzip: zipped });
      await pin.add(file);
      // Even if a file of this name exists: it may have been damaged since, or be about to be collected.
      await this.#directory.place(path, file);
      return inFile(mutation, {
        file,
        sha256,
        size,
        contentSize: content.bytes.byteLength,
        fileSize: bytes.byteLength,
        text,
        gzip: zipped,
        contentType: undefined,
      });
    } catch (error) {
      await this.#directory.unstage(path);
      throw error;
    }
  }

  nameOf(
    namespace: Namespace,
    { key, encoding }: Pick<SetMutation, "key" | "encoding">,
    { sha256, text, gzip }: Pick<Reference, "sha256" | "text" | "gzip">,
  ): string {
    return this.#settings.layout === "content"
      ? contentName(sha256, gzip)
      : readableName({ namespace, key, encoding, sha256, text, gzip });
  }
}

/** The mutation for the index. */
export function inFile<M extends Pick<SetMutation, "payload" | "encoding">>(
  mutation: M,
  reference: Reference,
): M {
  return { ...mutation, payload: referenceText(reference), encoding: encodingInFile(mutation.encoding) };
}
