import { describeEmulated } from "./emulated.ts";

// The default of a server with an older data directory: "a" before "B".
await describeEmulated("en_US", "skip");
