import type { Abilities } from "./abilities.ts";
import type { Context } from "./context.ts";

/** One promise of the contract. */
export interface Case {
  /** A sentence. */
  readonly title: string;
  /** Returns why the case cannot run with these abilities, or `undefined` if it can. */
  readonly requires?: (abilities: Abilities) => string | undefined;
  /** Runs instead if `requires` returns a reason. Without it, the case is skipped with that reason. */
  readonly whenMissing?: (context: Context) => Promise<void>;
  readonly run: (context: Context) => Promise<void>;
}

/** A chapter of the contract. */
export interface Chapter {
  readonly title: string;
  readonly cases: readonly Case[];
}
