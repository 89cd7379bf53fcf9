/** How messages describe a refused value: its path and its kind. */

/** `.name` or `["odd name"]`. */
export function member(name: string): string {
  return /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

/** The beginning and the end of a path that is too long to read. */
export function shortened(path: string): string {
  return path.length <= 120 ? path : `${path.slice(0, 80)} … ${path.slice(-36)}`.toWellFormed();
}

/** `a Date`, `an instance of User`. */
export function className(value: object): string {
  const name = nameOf(value);
  return /^(Date|Map|Set|WeakMap|WeakSet|RegExp|Promise)$/.test(name)
    ? `a ${name}`
    : `an instance of ${name}`;
}

function nameOf(value: object): string {
  try {
    const maker: unknown = value.constructor;
    return typeof maker === "function" && typeof maker.name === "string" && maker.name !== ""
      ? maker.name
      : "class";
  } catch {
    return "class";
  }
}
