import type { Chapter } from "../suite/chapter.ts";
import { atomicity } from "./atomicity.ts";
import { concurrency } from "./concurrency/concurrency.ts";
import { durability } from "./durability.ts";
import { errors } from "./errors.ts";
import { evictionPolicy } from "./eviction-policy.ts";
import { keys } from "./keys.ts";
import { modelBased } from "./model-based.ts";
import { namespacesAndScopes } from "./namespaces-and-scopes.ts";
import { openingAndClosing } from "./opening-and-closing.ts";
import { ranges } from "./ranges.ts";
import { readingAndWriting } from "./reading-and-writing.ts";
import { timeToLive } from "./time-to-live.ts";
import { values } from "./values.ts";
import { viewsAndWrappers } from "./views-and-wrappers.ts";
import { watching } from "./watching.ts";

/** The contract, chapter by chapter. */
export const CHAPTERS: readonly Chapter[] = [
  openingAndClosing,
  keys,
  values,
  readingAndWriting,
  timeToLive,
  evictionPolicy,
  ranges,
  namespacesAndScopes,
  atomicity,
  concurrency,
  watching,
  viewsAndWrappers,
  errors,
  durability,
  modelBased,
];
