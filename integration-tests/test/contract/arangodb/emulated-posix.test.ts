import { describeEmulated } from "./emulated.ts";

// The default of a new server: ASCII in byte order, other characters not, NUL ignored.
await describeEmulated("en_US_POSIX", "skip");
