import { FEED_QUERIES } from "./feed-queries.ts";
import { LINK_QUERIES } from "./link-queries.ts";
import type { Query } from "./query.ts";
import { READ_QUERIES } from "./read-queries.ts";
import { SCHEMA_QUERIES } from "./schema-queries.ts";
import { UPKEEP_QUERIES } from "./upkeep-queries.ts";
import { WRITE_QUERIES } from "./write-queries.ts";

/** Every statement that the adapter sends, `query` aside. */
export const STATEMENTS: readonly Query[] = [
  ...SCHEMA_QUERIES,
  ...READ_QUERIES,
  ...WRITE_QUERIES,
  ...UPKEEP_QUERIES,
  ...FEED_QUERIES,
  ...LINK_QUERIES,
];
