import { describeEmulated } from "./emulated.ts";

// Danish sorts "aa" behind "z": keys that are not encoded would come in another order than the contract's.
await describeEmulated("da", "briefly");
