/**
 * Several clients of one Redis in a process of their own, each with a store, and so a connection, of its own. Its
 * parent sends a `Ground` for each round, and gets what the clients saw; when the parent lets go, it ends.
 * Arguments: a seed, the number of the first client, a prefix, and for each client the port that it connects to.
 */
import { createStore } from "@kv/core";
import { Contender, type Ground } from "../linearizability/contender.ts";
import { randomFrom } from "../test/faults/damage/damage.ts";
import { contendingAdapter } from "./contending-adapter.ts";

const [seed = "1", first = "0", prefix = "", ...ports] = process.argv.slice(2);
const clients = ports.map((port, i) => {
  const index = Number(first) + i;
  const store = createStore(contendingAdapter(Number(port), prefix, index), {
    timeout: 1_000,
    sweepInterval: null,
  });
  return new Contender(index, store, randomFrom(Number(seed) * 31 + index));
});

process.on("message", (ground: Ground) => {
  void Promise.all(clients.map((client) => client.round(ground))).then((parts) => process.send?.(parts));
});
process.on("disconnect", () => process.exit(0));
process.send?.("ready");
