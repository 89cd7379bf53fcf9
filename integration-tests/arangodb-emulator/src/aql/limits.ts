import { ArangoError } from "../errors.ts";

/**
 * What is too deep or too large for this process is refused, as by a server whose limits are lower.
 * @throws ArangoError 1524, 32
 */
export function withinLimits<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const isTooDeep = error.message.includes("call stack");
    throw new ArangoError(isTooDeep ? "tooMuchNesting" : "resourceLimit", `AQL: ${error.message}`);
  }
}
