import { memory } from "@kv/memory";
import { describeConformance } from "../src/index.ts";

/** The suite in real time: what an adapter whose clock cannot be set goes through. */
describeConformance({ name: "memory in real time", create: () => ({ adapter: memory() }) });
