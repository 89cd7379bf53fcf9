// Which index serves a loop, and the documents it gives. Whatever an index gives is filtered again, with one exception that
// the server makes, too: a range over `_key` is decided by the primary index, which compares bytes and no collation.

import { type Document, isArray, type Json } from "../../json.ts";
import type { CollectionState } from "../../storage/collection-state.ts";
import type { Bound, IndexData } from "../../storage/indexes/index-data.ts";
import { compareBytes, type ValueOrder } from "../../storage/indexes/value-order.ts";
import type { Expression } from "../ast.ts";
import type { Relation } from "./conditions.ts";

export interface KnownCondition {
  /** The attribute, its names joined by dots. */
  readonly path: string;
  readonly relation: Relation;
  readonly value: Json;
  readonly expression: Expression;
}

/** What a SORT after the loop wants. */
export interface WantedOrder {
  readonly paths: readonly string[];
  readonly isDescending: boolean;
}

export interface Scan {
  readonly documents: Iterable<Document>;
  /** Whether they come in the wanted order. */
  readonly isSorted: boolean;
  readonly decided: readonly Expression[];
  /** The name of the index. */
  readonly index: string;
}

export interface ChoiceInput {
  readonly collection: string;
  readonly state: CollectionState;
  readonly conditions: readonly KnownCondition[];
  readonly wanted: WantedOrder | undefined;
  readonly order: ValueOrder;
  /** Only these indexes, by name. */
  readonly hint: readonly string[] | undefined;
}

interface Candidate extends Scan {
  readonly score: number;
}

/** The best scan; undefined where only a look at every document helps. */
export function chooseIndex(input: ChoiceInput): Scan | undefined {
  const allowed = ({ index }: Candidate): boolean => input.hint === undefined || input.hint.includes(index);
  const candidates = [
    ...primaryLookup(input),
    ...input.state.indexes.flatMap((index) => indexScan(index, input)),
    ...primaryRange(input),
  ].filter(allowed);
  return candidates.reduce<Candidate | undefined>(
    (best, candidate) => (best === undefined || candidate.score > best.score ? candidate : best),
    undefined,
  );
}

/** `_key` or `_id` given: one look for each. */
function primaryLookup({ conditions, state, collection }: ChoiceInput): Candidate[] {
  for (const { path, relation, value } of conditions) {
    if ((path !== "_key" && path !== "_id") || (relation !== "==" && relation !== "IN")) continue;
    const values = relation === "==" ? [value] : isArray(value) ? [...new Set(value)] : [];
    const keys = values.map((each) => keyOf(each, path, collection)).filter((key) => key !== undefined);
    const found = keys.map((key) => state.get(key)).filter((document) => document !== undefined);
    return [{ documents: found, isSorted: false, decided: [], index: "primary", score: 1000 }];
  }
  return [];
}

function keyOf(value: Json, path: string, collection: string): string | undefined {
  if (typeof value !== "string") return undefined;
  if (path === "_key") return value;
  return value.startsWith(`${collection}/`) ? value.slice(collection.length + 1) : undefined;
}

/** A range or a SORT over `_key`, by bytes. */
function primaryRange({ conditions, state, wanted }: ChoiceInput): Candidate[] {
  const ranges = conditions.filter(
    ({ path, relation, value }) =>
      path === "_key" && relation !== "==" && relation !== "IN" && typeof value === "string",
  );
  const isSorted = wanted?.paths.length === 1 && wanted.paths[0] === "_key";
  if (ranges.length === 0 && !isSorted) return [];
  const holds = (key: string): boolean =>
    ranges.every(({ relation, value }) => {
      const order = compareBytes(key, String(value));
      return relation === "<"
        ? order < 0
        : relation === "<="
          ? order <= 0
          : relation === ">"
            ? order > 0
            : order >= 0;
    });
  const lower = ranges.filter(({ relation }) => relation.startsWith(">")).map(({ value }) => String(value));
  const upper = ranges.filter(({ relation }) => relation.startsWith("<")).map(({ value }) => String(value));
  const low = lower.sort().at(-1);
  const high = upper.sort()[0];
  const reverse = isSorted && wanted.isDescending;
  function* documents(): Generator<Document, void> {
    const entries = reverse
      ? state.documents.before(
          high === undefined ? undefined : (key) => (compareBytes(key, high) > 0 ? 0 : -1),
        )
      : state.documents.from(low === undefined ? undefined : (key) => compareBytes(key, low));
    for (const [key, document] of entries) {
      if (reverse ? low !== undefined && key < low : high !== undefined && key > high) return;
      if (holds(key)) yield document;
    }
  }
  return [
    {
      documents: documents(),
      isSorted,
      decided: ranges.map(({ expression }) => expression),
      index: "primary",
      score: ranges.length > 0 ? 2 : 1,
    },
  ];
}

/** Equality on leading fields, then IN or a range or the wanted order on the next one. */
function indexScan(index: IndexData, { conditions, wanted, order }: ChoiceInput): Candidate[] {
  const { definition } = index;
  if (definition.type === "ttl") return [];
  const { fields } = definition;
  const on = (field: string | undefined, relation: Relation): KnownCondition[] =>
    conditions.filter((condition) => condition.path === field && condition.relation === relation);
  const prefix: Json[] = [];
  for (const field of fields) {
    const [equal] = on(field, "==");
    if (equal === undefined) break;
    prefix.push(equal.value);
  }
  const next = fields[prefix.length];
  const members = on(next, "IN").find(({ value }) => isArray(value))?.value;
  const base = { decided: [], index: definition.name } as const;
  if (members !== undefined && isArray(members)) {
    if (
      definition.sparse &&
      (prefix.includes(null) || members.includes(null) || prefix.length + 1 < fields.length)
    ) {
      return [];
    }
    const values = distinct(members, order);
    function* each(): Generator<Document, void> {
      for (const value of values)
        yield* index.range(at([...prefix, value], false), at([...prefix, value], true), false);
    }
    return [{ ...base, documents: each(), isSorted: false, score: prefix.length * 10 + 8 }];
  }
  if (definition.type === "edge") {
    if (prefix.length === 0) return [];
    return [
      {
        ...base,
        documents: index.range(at(prefix, false), at(prefix, true), false),
        isSorted: false,
        score: 10,
      },
    ];
  }
  const low = tightest([...on(next, ">"), ...on(next, ">=")], order, 1);
  const high = tightest([...on(next, "<"), ...on(next, "<=")], order, -1);
  const isSorted = wanted !== undefined && givesOrder(fields, prefix.length, conditions, wanted);
  if (definition.sparse) {
    const excludesNull = low !== undefined && (low.relation === ">" || low.value !== null);
    const covered = prefix.length + (excludesNull ? 1 : 0);
    if (prefix.includes(null) || covered < fields.length) return [];
  }
  if (prefix.length === 0 && low === undefined && high === undefined && !isSorted) return [];
  const lower = low
    ? at([...prefix, low.value], low.relation === ">")
    : prefix.length > 0
      ? at(prefix, false)
      : undefined;
  const upper = high
    ? at([...prefix, high.value], high.relation === "<=")
    : prefix.length > 0
      ? at(prefix, true)
      : undefined;
  const ranged = (low === undefined ? 0 : 3) + (high === undefined ? 0 : 3);
  const found = definition.unique && prefix.length === fields.length ? 100 : 0;
  return [
    {
      ...base,
      documents: index.range(lower, upper, isSorted && wanted.isDescending),
      isSorted,
      score: prefix.length * 10 + ranged + (isSorted ? 2 : 0) + found,
    },
  ];
}

function at(values: readonly Json[], after: boolean): Bound {
  return { values, after };
}

/** The condition that leaves the least. */
function tightest(
  conditions: readonly KnownCondition[],
  order: ValueOrder,
  sign: 1 | -1,
): KnownCondition | undefined {
  return conditions.reduce<KnownCondition | undefined>((best, condition) => {
    if (best === undefined) return condition;
    const difference = order.compare(condition.value, best.value) * sign;
    const isStricter = condition.relation.length < best.relation.length;
    return difference > 0 || (difference === 0 && isStricter) ? condition : best;
  }, undefined);
}

/** Whether the fields after the equal ones are the wanted ones. */
function givesOrder(
  fields: readonly string[],
  equal: number,
  conditions: readonly KnownCondition[],
  wanted: WantedOrder,
): boolean {
  const fixed = new Set(conditions.filter(({ relation }) => relation === "==").map(({ path }) => path));
  const left = wanted.paths.filter((path) => !fixed.has(path));
  return left.every((path, position) => fields[equal + position] === path);
}

function distinct(values: readonly Json[], order: ValueOrder): Json[] {
  return values
    .toSorted(order.compare)
    .filter(
      (value, position, sorted) => position === 0 || order.compare(value, sorted[position - 1] ?? null) !== 0,
    );
}
