import type { Chapter } from "../chapter.ts";
import { namespaces } from "./namespaces.ts";
import { scopes } from "./scopes.ts";

export const namespacesAndScopes: Chapter = {
  title: "namespaces and scopes",
  cases: [...namespaces, ...scopes],
};
