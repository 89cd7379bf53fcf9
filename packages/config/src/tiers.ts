import type { Adapter } from "@kv/core";
import { invalidOption } from "./invalid-option.ts";
import type { KnownAdapter } from "./known-adapters.ts";
import type { StoreConfig } from "./store-config.ts";

/** An adapter's options that are adapters themselves, each as a URL or an object, or made already. */
export interface Tiers {
  readonly near: string | URL | StoreConfig | Adapter;
  readonly far: string | URL | StoreConfig | Adapter;
}

/**
 * The options with an adapter in the place of every tier.
 * @throws KvError `KV_INVALID_OPTION` where one is missing; what `open` throws
 */
export async function withTiers(
  { name, tiers }: KnownAdapter,
  options: object,
  open: (target: string | URL | StoreConfig) => Promise<Adapter>,
): Promise<object> {
  const made: Record<string, Adapter> = {};
  for (const tier of tiers ?? []) {
    const target: unknown = (options as Record<string, unknown>)[tier];
    if (target === undefined) {
      throw invalidOption(
        `the option ${tier} is missing: a URL such as "memory:", or an object such as { adapter: "memory" }`,
        name,
      );
    }
    made[tier] = isAdapter(target) ? target : await open(target as string | URL | StoreConfig);
  }
  return { ...options, ...made };
}

function isAdapter(target: unknown): target is Adapter {
  return typeof target === "object" && target !== null && "commit" in target;
}
