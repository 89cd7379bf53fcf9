import { describeEmulated } from "./emulated.ts";

// Czech sorts "ch" behind "h".
await describeEmulated("cs", "skip");
