/** The global that differs among hosts: Node, Bun and Deno have `AsyncLocalStorage`; browsers do not. */
interface Host {
  readonly process?: {
    getBuiltinModule?(name: "node:async_hooks"): { readonly AsyncLocalStorage?: ContextBinder } | undefined;
  };
}

interface ContextBinder {
  bind?<F extends (...args: never[]) => unknown>(fn: F): F;
}

const { process } = globalThis as unknown as Host;
const storage = process?.getBuiltinModule?.("node:async_hooks")?.AsyncLocalStorage;

/**
 * Binds a function to the async context (`AsyncLocalStorage`) of this call: for callbacks that callers pass in.
 */
export const inThisContext: <F extends (...args: never[]) => unknown>(fn: F) => F =
  typeof storage?.bind === "function" ? (fn) => storage.bind?.(fn) ?? fn : (fn) => fn;
