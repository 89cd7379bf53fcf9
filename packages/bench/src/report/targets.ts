import type { FigureName } from "./result.ts";

/** The target of a figure, and the reason for it. */
export interface Target {
  readonly limit: number;
  readonly why: string;
}

/** The least ratios of our rate to the group's baseline, by group and cell. */
export const baselineTargets: Readonly<Record<string, Readonly<Record<string, Target>>>> = {
  memory: {
    get: {
      limit: 12,
      why: "A hand-written copy of plain data is 3 to 4.5 times cheaper than JSON, and no hook, event or statistic is asked on the way.",
    },
    set: { limit: 6, why: "As get, less what order, revision and metadata cost." },
    get64: {
      limit: 12,
      why: "As get: workers gain nothing where the answer is there at once, and must lose nothing.",
    },
    set64: { limit: 6, why: "As set." },
    burstGet: { limit: 12, why: "As get." },
    burstSet: { limit: 6, why: "As set." },
    getMany: { limit: 12, why: "As get." },
    setMany: { limit: 6, why: "As set." },
    scan: { limit: 300, why: "An ordered index finds the range; Keyv walks through everything." },
    get10k: { limit: 3, why: "Here nearly all is copying." },
    set10k: { limit: 3, why: "Here nearly all is copying." },
  },
  sqlite: {
    get: { limit: 1.8, why: "One read transaction for the reads of a turn, instead of one each." },
    set: { limit: 0.9, why: "A statement as before, plus the metadata." },
    get64: { limit: 2, why: "As get." },
    set64: { limit: 3.3, why: "The writes of a tick share a transaction." },
    burstGet: { limit: 2, why: "As get." },
    burstSet: { limit: 4.5, why: "A thousand writes in one transaction." },
    getMany: { limit: 2, why: "One statement over a JSON array of the keys, instead of one each." },
    setMany: { limit: 0.8, why: "The bare driver has one transaction here too; ours adds the metadata." },
    scan: { limit: 1, why: "The same index, the same rows." },
    get10k: { limit: 0.95, why: "Here JSON and pages are nearly everything, and they are the same." },
    set10k: { limit: 0.95, why: "Here JSON and pages are nearly everything, and they are the same." },
  },
  leveldb: {
    get: { limit: 15, why: "Answered on the calling thread: no hop to another one and back." },
    set: { limit: 0.9, why: "A put as before, plus the metadata." },
    get64: { limit: 2.5, why: "As get; workers let the bare driver use its threads, too." },
    set64: { limit: 1, why: "The writes of a tick are one batch, which pays for the metadata." },
    burstGet: { limit: 2.5, why: "As get64." },
    burstSet: { limit: 0.9, why: "One batch of a thousand; the metadata is paid for a thousand times." },
    getMany: { limit: 0.85, why: "The same keys; ours has the metadata and the TTL to look at." },
    setMany: { limit: 0.6, why: "The bare driver has one batch here too; ours adds the metadata." },
    scan: { limit: 1.1, why: "The same order, the same rows, fetched in larger portions." },
    get10k: { limit: 1.5, why: "As get; the JSON is the same, and is most of it." },
  },
  redis: {
    get: { limit: 1, why: "A round trip, here and there." },
    set: { limit: 0.8, why: "A round trip; the server also keeps metadata and the index." },
    get64: { limit: 3.5, why: "The reads of a tick are one MGET." },
    set64: { limit: 2.2, why: "The writes of a tick are one script." },
    burstGet: { limit: 6, why: "As get64, of a thousand." },
    burstSet: { limit: 2.8, why: "As set64, of a thousand." },
    getMany: { limit: 0.9, why: "One MGET, here and there." },
    setMany: {
      limit: 0.4,
      why: "The bare driver has one MSET; ours adds metadata and index, and is atomic.",
    },
    scan: { limit: 9, why: "An index finds the range; SCAN looks at every name there is." },
    get10k: { limit: 0.95, why: "Here JSON and the wire are nearly everything, and they are the same." },
    set10k: { limit: 0.95, why: "Here JSON and the wire are nearly everything, and they are the same." },
  },
};

const AHEAD = "Five times ahead of everybody where batching or the turn's snapshot applies.";
const ORDERED = "Five times ahead on every scan: no peer has ranges.";

/** The least ratios of our rate to the best peer, by group and cell. */
const peerTargets: Readonly<Record<string, Readonly<Record<string, Target>>>> = {
  memory: { scan: { limit: 5, why: ORDERED } },
  sqlite: {
    get: { limit: 5, why: AHEAD },
    get64: { limit: 5, why: AHEAD },
    set64: { limit: 5, why: AHEAD },
    scan: { limit: 5, why: ORDERED },
  },
  leveldb: { scan: { limit: 5, why: ORDERED } },
  redis: { scan: { limit: 5, why: ORDERED } },
};

const neverBehind: Target = { limit: 1, why: "Never behind the best peer, whatever the cell." };

export function peerTarget(group: string, cell: string): Target {
  return peerTargets[group]?.[cell] ?? neverBehind;
}

/** The limits of our figures. For `start`: the limit of the time beyond the baseline. */
export const figureTargets: Readonly<Partial<Record<FigureName, Target>>> = {
  heap: { limit: 450, why: "Bytes of heap per entry of 104 B, the index and the metadata included." },
  start: {
    limit: 5,
    why: "Milliseconds that import, open and first get may take beyond those of the bare driver.",
  },
  growth: {
    limit: 1.3,
    why: "A range costs what it returns, not what there is: so many times as long at most in the larger store.",
  },
  ttlCost: {
    limit: 15,
    why: "Per cent that a TTL may add to a set: expiry is bookkeeping, not a second index to maintain.",
  },
  loopDelay: {
    limit: 10,
    why: "Milliseconds at p99 under sustained load: a store that never lets timers run is no good in a server.",
  },
};
