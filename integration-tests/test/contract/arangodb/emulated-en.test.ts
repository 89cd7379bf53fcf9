import { describeEmulated } from "./emulated.ts";

// What a server speaks by default where its data directory is older: "a" before "B".
await describeEmulated("en_US", "skip");
