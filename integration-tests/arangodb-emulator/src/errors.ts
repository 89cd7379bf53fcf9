import type { JsonObject } from "./json.ts";

/** The errors of ArangoDB that the emulator raises: number, HTTP status, message. */
const known = {
  badParameter: [10, 400, "bad parameter"],
  forbidden: [11, 403, "forbidden"],
  notImplemented: [9, 501, "not implemented"],
  lockTimeout: [18, 500, "timeout waiting to lock"],
  locked: [28, 500, "locked"],
  resourceLimit: [32, 500, "resource limit exceeded"],
  unauthorized: [401, 401, "Wrong credentials"],
  notAuthorized: [11, 401, "not authorized to execute this request"],
  unknownPath: [404, 404, "unknown path"],
  methodNotAllowed: [405, 405, "method not supported"],
  corruptedJson: [600, 400, "invalid JSON object"],
  readOnly: [1004, 403, "read only"],
  duplicateUser: [1702, 409, "duplicate user"],
  userNotFound: [1703, 404, "user not found"],
  conflict: [1200, 409, "conflict"],
  preconditionFailed: [1200, 412, "precondition failed"],
  documentNotFound: [1202, 404, "document not found"],
  collectionNotFound: [1203, 404, "collection or view not found"],
  handleBad: [1205, 400, "illegal document identifier"],
  duplicateName: [1207, 409, "duplicate name"],
  illegalName: [1208, 400, "illegal name"],
  uniqueConstraint: [1210, 409, "unique constraint violated"],
  indexNotFound: [1212, 404, "index not found"],
  collectionTypeInvalid: [1218, 400, "collection type invalid"],
  keyBad: [1221, 400, "illegal document key"],
  keyUnexpected: [1222, 400, "unexpected document key"],
  keyMissing: [1226, 400, "missing document key"],
  documentTypeInvalid: [1227, 400, "invalid document type"],
  databaseNotFound: [1228, 404, "database not found"],
  databaseNameInvalid: [1229, 400, "database name invalid"],
  useSystemDatabase: [1230, 403, "operation only allowed in system database"],
  invalidKeyGenerator: [1232, 400, "invalid key generator"],
  invalidEdge: [1233, 400, "edge attribute missing or invalid"],
  queryParse: [1501, 400, "syntax error"],
  queryEmpty: [1502, 400, "query is empty"],
  numberOutOfRange: [1504, 400, "number out of range"],
  variableRedeclared: [1511, 400, "variable is assigned multiple times"],
  variableUnknown: [1512, 400, "unknown variable"],
  tooMuchNesting: [1524, 400, "too much nesting or too many objects"],
  functionUnknown: [1540, 400, "usage of unknown function"],
  functionArguments: [1541, 400, "invalid number of arguments for function"],
  functionArgumentType: [1542, 400, "invalid argument type in call to function"],
  invalidRegex: [1543, 400, "invalid regex value"],
  bindStructure: [1550, 400, "invalid structure of bind parameters"],
  bindMissing: [1551, 400, "no value specified for declared bind parameter"],
  bindUndeclared: [1552, 400, "bind parameter was not declared in the query"],
  bindType: [1553, 400, "bind parameter has an invalid value or type"],
  divisionByZero: [1562, 400, "division by zero"],
  arrayExpected: [1563, 400, "array expected"],
  collectionInExpression: [1568, 400, "collection used as expression operand"],
  failCalled: [1569, 400, "FAIL() called"],
  invalidDate: [1572, 400, "invalid date value"],
  invalidAggregate: [1574, 400, "invalid aggregate expression"],
  compileTimeOptions: [1575, 400, "query options must be readable at query compile time"],
  forcedIndexHint: [1577, 400, "could not use forced index hint"],
  accessAfterModification: [1579, 400, "access after data-modification"],
  userAssert: [1593, 400, "assertion failed"],
  userWarn: [1594, 400, "warning"],
  cursorNotFound: [1600, 404, "cursor not found"],
  unregisteredCollection: [1652, 400, "unregistered collection used in transaction"],
  disallowedOperation: [1653, 400, "disallowed operation inside transaction"],
  transactionAborted: [1654, 410, "transaction aborted"],
  transactionNotFound: [1655, 404, "transaction not found"],
  graphNotFound: [1924, 404, "graph not found"],
} as const satisfies Record<string, readonly [number, number, string]>;

export type ErrorName = keyof typeof known;

/** An error as the server would answer it. */
export class ArangoError extends Error {
  override readonly name = "ArangoError";
  readonly errorNum: number;
  /** The HTTP status when the error ends a request. */
  readonly code: number;
  /** What the body of the answer holds besides the error: the stored `_rev` on a conflict. */
  readonly details: JsonObject;

  constructor(kind: ErrorName, message?: string, details: JsonObject = {}) {
    const [errorNum, code, standard] = known[kind];
    super(message ?? standard);
    this.errorNum = errorNum;
    this.code = code;
    this.details = details;
  }

  /** As the body of an answer. */
  get body(): JsonObject {
    return {
      error: true,
      code: this.code,
      errorNum: this.errorNum,
      errorMessage: this.message,
      ...this.details,
    };
  }
}

/** The number of an error, for the warnings of a query. */
export function numberOf(kind: ErrorName): number {
  return known[kind][0];
}
