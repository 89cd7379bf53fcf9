export { hybrid } from "./adapter.ts";
export type { ByteSize } from "./byte-size.ts";
export type { CollectReport } from "./collector.ts";
export type { FileMetadata } from "./file-metadata.ts";
export { type CollectOptions, files, type GetStreamOptions, type StoreFiles } from "./files.ts";
export type { HybridOptions } from "./options.ts";
export type { ByteRange, FileStream } from "./stream-reader.ts";
export type { SetStreamOptions, StreamSource } from "./stream-writer.ts";
export type { FileProblem, VerifyReport } from "./verifier.ts";
