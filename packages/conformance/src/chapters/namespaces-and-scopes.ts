import type { Chapter } from "../suite/chapter.ts";
import { namespaces } from "./namespaces-and-scopes/namespaces.ts";
import { scopes } from "./namespaces-and-scopes/scopes.ts";

export const namespacesAndScopes: Chapter = {
  title: "namespaces and scopes",
  cases: [...namespaces, ...scopes],
};
