import { type Query, query } from "./query.ts";

/** Returns whether the server sorts encoded keys correctly, and how the data are laid out. */
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

/** Returns the server's time: one number per statement, which its deadlines are compared with. */
export const TIME: Query = query(
  "time",
  `
    RETURN DATE_NOW()`,
);

/** Returns a document that this adapter did not write: one that lacks some of these attributes. */
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

/** Records how the data are laid out, unless that is recorded already. */
export const DESCRIBE: Query = query(
  "lay out",
  `
    INSERT @description INTO @@system OPTIONS { overwriteMode: "ignore" }`,
);

export const SCHEMA_QUERIES: readonly Query[] = [HELLO, TIME, STRANGER, DESCRIBE];
