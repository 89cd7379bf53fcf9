import { ArangoError } from "../../errors.ts";
import type { Json } from "../../json.ts";
import { toBool, toText } from "../cast.ts";
import { type Family, fn, volatile } from "./definition.ts";

const passThrough = volatile(1, 1, ([value = null]): Json => value);

export const controlFunctions: Family = {
  PASSTHRU: passThrough,
  NOOPT: passThrough,
  NOEVAL: passThrough,
  ASSERT: volatile(2, 2, ([value = null, message = null]) => {
    if (!toBool(value)) throw new ArangoError("userAssert", toText(message));
    return true;
  }),
  WARN: volatile(2, 2, ([value = null, message = null], run) => {
    if (!toBool(value)) run.warn("userWarn", toText(message));
    return toBool(value);
  }),
  FAIL: volatile(0, 1, ([message = null]) => {
    throw new ArangoError("failCalled", `FAIL(${toText(message)}) called`);
  }),
  VERSION: fn(0, 0, () => "3.12.9"),
  CURRENT_DATABASE: fn(0, 0, (_values, run) => run.database.name),
};
