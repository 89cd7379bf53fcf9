import { ArangoError } from "../../errors.ts";
import type { Json } from "../../json.ts";
import { toBool, toText } from "../expressions/cast.ts";
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
  /** Seconds, fractions allowed. */
  SLEEP: volatile(1, 1, ([seconds = null], run) => {
    if (typeof seconds !== "number" || seconds < 0)
      throw new ArangoError("functionArgumentType", "invalid argument type in call to function 'SLEEP()'");
    run.sleep(seconds * 1000);
    return null;
  }),
  VERSION: fn(0, 0, () => "3.12.9"),
  CURRENT_DATABASE: fn(0, 0, (_values, run) => run.database.name),
};
