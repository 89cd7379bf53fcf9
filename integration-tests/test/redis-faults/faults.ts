import { PASSWORD, type Place } from "./place.ts";

/** Something that happens to a store's server, or on the way to it, and what a caller may see of it meanwhile. */
export interface Fault {
  readonly name: string;
  /** `"before"` the operations; `"within"`: while they are on their way. */
  readonly strikes: "before" | "within";
  /** Resolves once it has begun. */
  readonly begin: (place: Place) => Promise<unknown>;
  readonly end: (place: Place) => Promise<unknown>;
  /** What reads may come to: `"right"`, or the code of an error. */
  readonly reads: readonly string[];
  /** What writes may come to: `"applied"`, or `"refused"` (certainly not applied) or `"unknown"` with the code of an error. */
  readonly writes: readonly string[];
  /** The data are gone with it. */
  readonly empties?: true;
  /** A watcher must be told to read everything again. */
  readonly resync?: true;
}

const nothing = async (): Promise<void> => undefined;
const heal = ({ proxy }: Place): Promise<void> => proxy.heal();
/** Whether a request was sent before the connection was known to be gone is a matter of luck. */
const either = ["unknown KV_UNAVAILABLE", "refused KV_UNAVAILABLE"];

export const FAULTS: readonly Fault[] = [
  {
    name: "latency of 60 ms each way",
    strikes: "before",
    begin: ({ proxy }) => proxy.set({ kind: "latency", milliseconds: 60 }),
    end: heal,
    reads: ["right"],
    writes: ["applied"],
  },
  {
    name: "connection reset",
    strikes: "within",
    begin: ({ proxy }) => proxy.set({ kind: "reset" }),
    end: heal,
    reads: ["KV_UNAVAILABLE"],
    writes: ["unknown KV_UNAVAILABLE"],
  },
  {
    name: "nobody listens",
    strikes: "before",
    begin: ({ proxy }) => proxy.set({ kind: "refuse" }),
    end: heal,
    reads: ["KV_UNAVAILABLE"],
    writes: either,
  },
  {
    name: "half-open connection",
    strikes: "before",
    begin: ({ proxy }) => proxy.set({ kind: "half-open" }),
    end: heal,
    reads: ["KV_UNAVAILABLE"],
    writes: ["unknown KV_UNAVAILABLE"],
  },
  {
    name: "answers dropped",
    strikes: "before",
    begin: ({ proxy }) => proxy.set({ kind: "drop-answers" }),
    end: heal,
    reads: ["KV_UNAVAILABLE"],
    writes: ["unknown KV_UNAVAILABLE"],
  },
  {
    name: "CLIENT PAUSE 300",
    strikes: "before",
    begin: ({ admin }) => admin.client("PAUSE", 300),
    end: nothing,
    reads: ["right"],
    writes: ["applied"],
  },
  {
    name: "server stands still (SIGSTOP)",
    strikes: "before",
    begin: async ({ server }) => server.pause(),
    end: async ({ server }) => server.resume(),
    reads: ["KV_UNAVAILABLE"],
    writes: either,
  },
  {
    name: "SCRIPT FLUSH",
    strikes: "before",
    begin: ({ admin }) => admin.script("FLUSH"),
    end: nothing,
    reads: ["right"],
    writes: ["applied"],
  },
  {
    name: "maxmemory reached, noeviction",
    strikes: "before",
    begin: ({ admin }) => admin.config("SET", "maxmemory-policy", "noeviction", "maxmemory", "1mb"),
    end: ({ admin }) => admin.config("SET", "maxmemory", "0"),
    reads: ["right"],
    // What only deletes needs no memory.
    writes: ["refused KV_CAPACITY", "applied"],
  },
  {
    name: "password changed",
    strikes: "before",
    async begin({ admin, proxy }) {
      await admin.config("SET", "requirepass", "another one");
      proxy.reset();
    },
    // The admin's own connection is not asked again.
    end: ({ admin }) => admin.config("SET", "requirepass", PASSWORD),
    reads: ["KV_UNAVAILABLE"],
    writes: either,
  },
  {
    name: "master becomes a replica",
    strikes: "before",
    // As the replica of a missing master, it keeps its data and refuses writes.
    begin: ({ admin }) => admin.replicaof("127.0.0.1", 1),
    end: ({ admin }) => admin.replicaof("NO", "ONE"),
    reads: ["right"],
    writes: ["refused KV_READ_ONLY"],
  },
  {
    name: "FLUSHALL by somebody else",
    strikes: "before",
    begin: ({ admin }) => admin.flushall(),
    end: nothing,
    reads: ["right"],
    writes: ["applied"],
    empties: true,
    resync: true,
  },
  {
    name: "server restarts, empty",
    strikes: "before",
    begin: ({ server }) => server.kill(),
    end: ({ server }) => server.start(),
    reads: ["KV_UNAVAILABLE"],
    writes: either,
    empties: true,
    resync: true,
  },
];
