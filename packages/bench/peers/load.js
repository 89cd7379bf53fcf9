/** Imports what a specifier means in this folder's own tree. */
export const load = (specifier) => import(specifier);
