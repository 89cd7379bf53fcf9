import { arrayFunctions } from "./array-functions.ts";
import { controlFunctions } from "./control-functions.ts";
import { dateFunctions } from "./date-functions.ts";
import type { FunctionDefinition } from "./definition.ts";
import { documentFunctions } from "./document-functions.ts";
import { numberFunctions } from "./number-functions.ts";
import { objectFunctions } from "./object-functions.ts";
import { stringFunctions } from "./string-functions.ts";
import { typeFunctions } from "./type-functions.ts";

/** Every function that the emulator has, by its name in capitals. Another name is error 1540. */
export const functions: ReadonlyMap<string, FunctionDefinition> = new Map(
  [
    arrayFunctions,
    controlFunctions,
    dateFunctions,
    documentFunctions,
    numberFunctions,
    objectFunctions,
    stringFunctions,
    typeFunctions,
  ].flatMap((family) => Object.entries(family)),
);
