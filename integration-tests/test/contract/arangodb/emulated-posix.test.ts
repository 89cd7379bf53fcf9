import { describeEmulated } from "./emulated.ts";

// What a new server speaks by default: ASCII in its own order, other characters not, NUL ignored.
await describeEmulated("en_US_POSIX", "skip");
