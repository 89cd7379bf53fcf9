import { type Query, query } from "./query.ts";

/** Whether the server sorts the encoded keys as it must, what time it is there, and how the data are laid out. */
export const HELLO: Query = query(
  "open",
  `
    LET described = FIRST(
      FOR s IN @@system
        FILTER s._key == @layout
        RETURN s
    )
    RETURN [SORTED(@probe) == @probe, DATE_NOW(), described]`,
);

/** Says how the data are laid out, where nobody has yet. */
export const DESCRIBE: Query = query(
  "lay out",
  `
    INSERT @description INTO @@system OPTIONS { overwriteMode: "ignore" }`,
);

export const SCHEMA_QUERIES: readonly Query[] = [HELLO, DESCRIBE];
