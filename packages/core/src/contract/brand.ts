/**
 * Brands a class, so that `instanceof` recognises the instances of that class made by any copy of this package. A
 * program may hold several copies: an adapter on another version than the application, a package manager that installs
 * one per peer. The brand is a symbol of the global registry, which is the same in every copy and in every realm. The
 * brand is not declared as a member, so that the types of two copies stay assignable to each other.
 */
export function branded(type: { readonly prototype: object }, name: string): void {
  const mark = Symbol.for(`@kv/core/${name}`);
  Object.defineProperty(type.prototype, mark, { value: true });
  Object.defineProperty(type, Symbol.hasInstance, {
    value(this: object, value: unknown): boolean {
      // A subclass inherits this method and uses the ordinary check.
      if (this !== type) return Function.prototype[Symbol.hasInstance].call(this, value);
      return typeof value === "object" && value !== null && mark in value;
    },
  });
}
