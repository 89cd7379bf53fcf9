import { ArangoError } from "../../errors.ts";
import { attributeOf, isArray, isObject, type Json, type JsonObject } from "../../json.ts";

export type IndexType = "primary" | "edge" | "persistent" | "ttl";

export interface IndexDefinition {
  /** Without the collection: `0` is the primary index. */
  readonly id: string;
  readonly name: string;
  readonly type: IndexType;
  readonly fields: readonly string[];
  readonly unique: boolean;
  readonly sparse: boolean;
  /** Seconds that a TTL index adds to what the document says. */
  readonly expireAfter: number | undefined;
  /** What the server only hands back: `estimates`, `storedValues` … */
  readonly echoed: JsonObject;
}

export const primaryIndex: IndexDefinition = fixed("0", "primary", "primary", ["_key"], true);
export const edgeIndex: IndexDefinition = fixed("1", "edge", "edge", ["_from", "_to"], false);

function fixed(
  id: string,
  name: string,
  type: IndexType,
  fields: readonly string[],
  unique: boolean,
): IndexDefinition {
  return { id, name, type, fields, unique, sparse: false, expireAfter: undefined, echoed: {} };
}

/**
 * The index that the body of `POST /_api/index` asks for.
 * @throws ArangoError 10 for what the server refuses and for index types that the emulator does not have
 */
export function indexDefinitionOf(body: Json, id: string): IndexDefinition {
  const type = attributeOf(body, "type");
  const normal = type === "hash" || type === "skiplist" ? "persistent" : type;
  if (!isObject(body)) throw new ArangoError("badParameter", "the index description has to be an object");
  if (normal !== "persistent" && normal !== "ttl") {
    throw new ArangoError(
      "badParameter",
      `index type ${JSON.stringify(type)} is not covered by this emulator`,
    );
  }
  const fields = fieldsOf(attributeOf(body, "fields"));
  const name = attributeOf(body, "name");
  if (name !== null && (typeof name !== "string" || !/^[A-Za-z][A-Za-z0-9_-]*$/.test(name))) {
    throw new ArangoError("illegalName", "illegal name: index name invalid");
  }
  const base = { id, name: name ?? `idx_${id}`, type: normal, fields } as const;
  if (normal === "ttl") return { ...base, ...ttlOf(body, fields) };
  return {
    ...base,
    unique: attributeOf(body, "unique") === true,
    sparse: attributeOf(body, "sparse") === true,
    expireAfter: undefined,
    echoed: {
      deduplicate: attributeOf(body, "deduplicate") ?? true,
      estimates: attributeOf(body, "estimates") ?? true,
      cacheEnabled: attributeOf(body, "cacheEnabled") ?? false,
      ...(isArray(attributeOf(body, "storedValues"))
        ? { storedValues: attributeOf(body, "storedValues") }
        : {}),
    },
  };
}

function fieldsOf(value: Json): readonly string[] {
  if (!isArray(value) || value.length === 0) {
    throw new ArangoError("badParameter", '"fields" attribute must be a non-empty list');
  }
  const fields = value.map((field) => {
    if (typeof field !== "string" || field === "") {
      throw new ArangoError("badParameter", "index fields have to be non-empty strings");
    }
    if (field.includes("[*]")) {
      throw new ArangoError("badParameter", `array index on "${field}" is not covered by this emulator`);
    }
    if (field === "_id") throw new ArangoError("badParameter", "_id attribute cannot be indexed");
    return field;
  });
  if (new Set(fields).size < fields.length) {
    throw new ArangoError("badParameter", "duplicate attributes in index fields");
  }
  return fields;
}

function ttlOf(
  body: JsonObject,
  fields: readonly string[],
): Pick<IndexDefinition, "unique" | "sparse" | "expireAfter" | "echoed"> {
  if (fields.length !== 1) throw new ArangoError("badParameter", "TTL index needs exactly one field");
  const expireAfter = attributeOf(body, "expireAfter");
  if (typeof expireAfter !== "number" || expireAfter < 0) {
    throw new ArangoError("badParameter", "expireAfter attribute must be a non-negative number");
  }
  if (attributeOf(body, "unique") === true) {
    throw new ArangoError("badParameter", "TTL index can't be unique");
  }
  return { unique: false, sparse: true, expireAfter, echoed: { estimates: false } };
}

/** Whether a request for an index asks for one that there is already. */
export function isSameIndex(left: IndexDefinition, right: IndexDefinition): boolean {
  return (
    left.type === right.type &&
    left.unique === right.unique &&
    left.sparse === right.sparse &&
    left.expireAfter === right.expireAfter &&
    left.fields.length === right.fields.length &&
    left.fields.every((field, at) => field === right.fields[at])
  );
}

/** As the index API shows it. */
export function describeIndex(collection: string, index: IndexDefinition): JsonObject {
  return {
    ...index.echoed,
    id: `${collection}/${index.id}`,
    name: index.name,
    type: index.type,
    fields: index.fields,
    unique: index.unique,
    sparse: index.sparse,
    ...(index.expireAfter === undefined ? {} : { expireAfter: index.expireAfter }),
    ...(index.type === "primary" || index.type === "edge" ? { selectivityEstimate: 1 } : {}),
  };
}
