/** One AQL statement. Every variable part is a bind parameter: texts are never assembled at run time. */
export interface Query {
  /** Its purpose, in a few words. */
  readonly name: string;
  readonly text: string;
}

/** The values of a statement's parameters. */
export type BindVars = Readonly<Record<string, unknown>>;

/** Makes a statement, without the indentation of its source. */
export function query(name: string, text: string): Query {
  return { name, text: text.replace(/^\n+|\s+$/g, "").replace(/^ {4}/gm, "") };
}
