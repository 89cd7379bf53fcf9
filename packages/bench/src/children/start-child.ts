// How long a fresh process takes from the import of a store to the answer of its first get.

import { contenderOf } from "../groups.ts";
import { smallValue } from "../workload/data.ts";
import { answer } from "./child-program.ts";

const [group = "", name = "", folder = "", task = "measure"] = process.argv.slice(2);
const contender = contenderOf(group, name);

const started = performance.now();
const subject = await contender.open(folder);
await subject.get("key");
const ms = performance.now() - started;
// A store that starts up usually exists already, so its files are made by an earlier process.
if (task === "prepare") await subject.set("key", smallValue(1));
await subject.close();
answer({ ms });
