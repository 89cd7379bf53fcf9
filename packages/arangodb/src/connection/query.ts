/** One AQL statement. Whatever varies is a bind parameter: texts are never put together at run time. */
export interface Query {
  /** What it is for, in a few words. */
  readonly name: string;
  readonly text: string;
}

/** What is put in place of a statement's parameters. */
export type BindVars = Readonly<Record<string, unknown>>;

/** Tells how long a text is, without what only makes it readable. */
export function query(name: string, text: string): Query {
  return { name, text: text.replace(/^\n+|\s+$/g, "").replace(/^ {4}/gm, "") };
}
