import { type Query, query } from "./query.ts";

/** Whether the server sorts the encoded keys as it must, and how the data are laid out. */
export const HELLO: Query = query(
  "open",
  `
    LET described = FIRST(
      FOR s IN @@system
        FILTER s._key == @layout
        RETURN s
    )
    RETURN [SORTED(@probe) == @probe, described]`,
);

/** What time it is on the server: one number for a statement, by which its deadlines are compared. */
export const TIME: Query = query(
  "time",
  `
    RETURN DATE_NOW()`,
);

/** Some document of a collection that this adapter has not made: one without these attributes. */
export const STRANGER: Query = query(
  "look for documents of others",
  `
    LET some = (
      FOR d IN @@collection
        LIMIT @limit
        RETURN d
    )
    FOR d IN some
      FILTER d._key != @layout AND LENGTH(@attributes[* FILTER d[CURRENT] == null]) > 0
      LIMIT 1
      RETURN d._key`,
);

/** Notes how the data are laid out, where that is not noted yet. */
export const DESCRIBE: Query = query(
  "lay out",
  `
    INSERT @description INTO @@system OPTIONS { overwriteMode: "ignore" }`,
);

export const SCHEMA_QUERIES: readonly Query[] = [HELLO, TIME, STRANGER, DESCRIBE];
