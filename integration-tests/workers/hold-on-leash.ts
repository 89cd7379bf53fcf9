// Holds a process and a directory until it is killed, and lets go of a second process before.
import { leash } from "../services/leash.ts";

const [held = "", letGo = "", directory = ""] = process.argv.slice(2);
leash("process", held);
leash("directory", directory);
leash("process", letGo)();
console.log("held");
setInterval(() => undefined, 1_000);
