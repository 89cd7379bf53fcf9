import type { Json } from "../json.ts";

/** A collection by its name, or by a bind parameter (`@@name`, without the signs). */
export type DataSource =
  | { readonly kind: "collection"; readonly name: string }
  | { readonly kind: "collectionParameter"; readonly name: string };

export interface Query {
  /** The collections of `WITH`. */
  readonly sources: readonly DataSource[];
  readonly body: Block;
}

/** A query or a subquery: the last clause is a RETURN or a modification. */
export interface Block {
  readonly clauses: readonly Clause[];
}

export type Expression =
  | { readonly kind: "literal"; readonly value: Json }
  /** A variable, or a collection where there is no such variable. */
  | { readonly kind: "reference"; readonly name: string }
  | { readonly kind: "parameter"; readonly name: string }
  | { readonly kind: "collectionParameter"; readonly name: string }
  | { readonly kind: "array"; readonly elements: readonly Expression[] }
  | { readonly kind: "object"; readonly elements: readonly ObjectElement[] }
  | { readonly kind: "attribute"; readonly of: Expression; readonly name: string }
  | { readonly kind: "boundAttribute"; readonly of: Expression; readonly parameter: string }
  | { readonly kind: "index"; readonly of: Expression; readonly index: Expression }
  | Expansion
  /** The element that the innermost expansion is at. */
  | { readonly kind: "current" }
  | { readonly kind: "unary"; readonly operator: UnaryOperator; readonly operand: Expression }
  | Binary
  | {
      readonly kind: "quantified";
      readonly quantifier: Quantifier;
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: "ternary";
      readonly condition: Expression;
      /** Absent in `a ?: b`. */
      readonly then: Expression | null;
      readonly otherwise: Expression;
    }
  | { readonly kind: "range"; readonly from: Expression; readonly to: Expression }
  | { readonly kind: "call"; readonly name: string; readonly arguments: readonly Expression[] }
  | { readonly kind: "subquery"; readonly block: Block }
  | { readonly kind: "grouped"; readonly expression: Expression };

export type UnaryOperator = "!" | "-" | "+";
export type Quantifier = "ALL" | "ANY" | "NONE";

export interface Binary {
  readonly kind: "binary";
  readonly operator: string;
  readonly left: Expression;
  readonly right: Expression;
}

export interface ObjectElement {
  readonly name: string | Expression;
  readonly value: Expression;
}

/** `of[*]`: with `levels` stars, each element filtered, cut out and turned into `each`. */
export interface Expansion {
  readonly kind: "expansion";
  readonly of: Expression;
  readonly levels: number;
  readonly filter: Expression | null;
  readonly limit: { readonly offset: Expression | null; readonly count: Expression } | null;
  readonly projection: Expression | null;
  readonly each: Expression;
}

export type Clause =
  | ForClause
  | TraversalClause
  | { readonly kind: "filter"; readonly condition: Expression }
  | { readonly kind: "let"; readonly assignments: readonly Assignment[] }
  | CollectClause
  | { readonly kind: "sort"; readonly elements: readonly SortElement[] }
  | { readonly kind: "limit"; readonly offset: Expression | null; readonly count: Expression }
  | ReturnClause
  | ModificationClause
  | UpsertClause;

export interface Assignment {
  readonly name: string;
  readonly value: Expression;
}

export interface ForClause {
  readonly kind: "for";
  readonly variable: string;
  readonly source: Expression;
  readonly options: Expression | null;
}

export type Direction = "outbound" | "inbound" | "any";

export interface TraversalClause {
  readonly kind: "traversal";
  readonly variables: readonly string[];
  readonly depth: Expression | null;
  readonly direction: Direction;
  readonly start: Expression;
  readonly edges: readonly { readonly source: DataSource; readonly direction: Direction | null }[];
  readonly prune: Expression | null;
  readonly options: Expression | null;
}

export interface CollectClause {
  readonly kind: "collect";
  readonly groups: readonly Assignment[];
  readonly aggregates: readonly Assignment[];
  readonly count: string | null;
  readonly into: { readonly name: string; readonly value: Expression | null } | null;
  readonly keep: readonly string[] | null;
  readonly options: Expression | null;
}

export interface SortElement {
  readonly value: Expression;
  /** Null is ascending; a literal or a bind parameter says "ASC" or "DESC". */
  readonly direction: "ASC" | "DESC" | Expression | null;
}

export interface ReturnClause {
  readonly kind: "return";
  readonly isDistinct: boolean;
  readonly value: Expression;
}

export interface ModificationClause {
  readonly kind: "insert" | "update" | "replace" | "remove";
  /** The document, or what names it. */
  readonly subject: Expression;
  /** What follows WITH. */
  readonly change: Expression | null;
  readonly into: DataSource;
  readonly options: Expression | null;
}

export interface UpsertClause {
  readonly kind: "upsert";
  /** An object, a bind parameter, or with FILTER a condition on `$CURRENT`. */
  readonly search: Expression;
  readonly isFilter: boolean;
  readonly insert: Expression;
  readonly change: Expression;
  readonly mode: "update" | "replace";
  readonly into: DataSource;
  readonly options: Expression | null;
}
