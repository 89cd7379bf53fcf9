/** How refused values are described: where they are, and what they are. */

/** `.name` or `["odd name"]`. */
export function member(name: string): string {
  return /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

/** `a Date`, `an instance of User`. */
export function className(value: object): string {
  const maker: unknown = value.constructor;
  const name = typeof maker === "function" && maker.name !== "" ? maker.name : "class";
  return /^(Date|Map|Set|WeakMap|WeakSet|RegExp|Promise)$/.test(name)
    ? `a ${name}`
    : `an instance of ${name}`;
}
