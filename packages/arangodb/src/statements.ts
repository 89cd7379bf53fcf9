import type { Query } from "./connection/query.ts";
import { SCHEMA_QUERIES } from "./connection/schema-queries.ts";
import { UPKEEP_QUERIES } from "./keyspace/upkeep-queries.ts";
import { LINK_QUERIES } from "./links/link-queries.ts";
import { READ_QUERIES } from "./read/read-queries.ts";
import { FEED_QUERIES } from "./watch/feed-queries.ts";
import { WRITE_QUERIES } from "./write/write-queries.ts";

/** Every statement that the adapter sends, except those passed to `query`. */
export const STATEMENTS: readonly Query[] = [
  ...SCHEMA_QUERIES,
  ...READ_QUERIES,
  ...WRITE_QUERIES,
  ...UPKEEP_QUERIES,
  ...FEED_QUERIES,
  ...LINK_QUERIES,
];
