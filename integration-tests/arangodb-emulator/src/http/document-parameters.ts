import { overwriteModeOf } from "../aql/clause-options.ts";
import type { WriteOptions } from "../storage/document-writes.ts";
import { type ApiRequest, flagOf } from "./api-request.ts";

/** What the parameters of a document request ask for. */
export interface DocumentParameters extends WriteOptions {
  readonly returnNew: boolean;
  readonly returnOld: boolean;
  readonly silent: boolean;
  readonly waitForSync: boolean;
}

export function documentParameters(request: ApiRequest): DocumentParameters {
  const flag = (name: string, standard = false): boolean => flagOf(request, name, standard);
  const overwriteMode = overwriteModeOf(request.parameters.get("overwriteMode"), flag("overwrite"));
  return {
    overwriteMode,
    // The server's source has false for POST where its documentation says true: whoever cares says what is meant.
    keepNull: flag("keepNull", request.method !== "POST"),
    mergeObjects: flag("mergeObjects", true),
    ignoreRevs: flag("ignoreRevs", true),
    returnNew: flag("returnNew"),
    returnOld: flag("returnOld"),
    silent: flag("silent"),
    waitForSync: flag("waitForSync"),
  };
}
