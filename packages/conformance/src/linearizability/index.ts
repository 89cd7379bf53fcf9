export { checkEntries, type EntriesCheck } from "./entries-check.ts";
export {
  type Check,
  type Entries,
  type EntryInput,
  type EntryOperation,
  type EntryOutput,
  type EntryState,
  entriesModel,
  keysOf,
  type Read,
  type Write,
} from "./entries-model.ts";
export { independent } from "./independent.ts";
export { type Answer, linearizable } from "./linearizable.ts";
export type { Model, Operation } from "./model.ts";
