import type { TestProject } from "vitest/node";
import { offerServices } from "./offer.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The address at which test files ask for the services of this run. */
    kvServices: string;
  }
}

/** Before the first test of a run, in vitest's own process; what it returns is called after the last. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const offer = await offerServices();
  project.provide("kvServices", offer.url);
  return () => offer.close();
}
