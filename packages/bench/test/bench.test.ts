import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../src/command-line.ts";
import { plainMap } from "../src/contenders/bare/plain-map.ts";
import { groupOf, groups } from "../src/groups.ts";
import { interleave, type Lane } from "../src/measuring/rounds.ts";
import { chart } from "../src/report/chart.ts";
import { LogScale } from "../src/report/log-scale.ts";
import { formatRate } from "../src/report/numbers.ts";
import { report } from "../src/report/report.ts";
import type { GroupResult } from "../src/report/result.ts";
import { median, ratio } from "../src/report/statistics.ts";
import { cellTable, figureTable } from "../src/report/table.ts";
import { baselineTargets } from "../src/report/targets.ts";
import { verdictsOf } from "../src/report/verdict.ts";
import { cells } from "../src/workload/cells.ts";
import type { Contender, Subject, Value } from "../src/workload/contender.ts";
import { largeValue, shuffled, smallValue } from "../src/workload/data.ts";
import { openAll } from "../src/workload/opened.ts";

describe("statistics", () => {
  it("takes the middle, or the mean of the two in the middle", () => {
    expect(median([])).toBeUndefined();
    expect(median([10, 9, 100])).toBe(10);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it("takes the median of the ratios, not the ratio of the medians", () => {
    // The machine is ten times as slow in the second round. Both sides are slower, so their ratio is the same.
    expect(ratio([200, 20, 210], [100, 10, 70])).toBe(2);
    expect(ratio([200, 20, 210], [100])).toBe(2);
    expect(ratio(undefined, [1])).toBeUndefined();
  });
});

describe("rounds", () => {
  it("lets the lanes take turns, beginning with another one each round", async () => {
    const clock = { ms: 0 };
    const log: string[] = [];
    const lane = (name: string, msPerStep: number): Lane => ({
      name,
      async run(from, to) {
        log.push(name);
        clock.ms += (to - from) * msPerStep;
      },
    });
    const rates = await interleave([lane("a", 1), lane("b", 2), lane("c", 4)], {
      rounds: 3,
      roundMs: 40,
      now: () => clock.ms,
    });
    expect(Object.fromEntries(rates)).toEqual({
      a: [1000, 1000, 1000],
      b: [500, 500, 500],
      c: [250, 250, 250],
    });
    expect(log.slice(-9).join("")).toBe("abcbcacab");
  });

  it("gives a slow lane fewer rounds, and goes on without one that fails", async () => {
    const clock = { ms: 0 };
    const slow: Lane = {
      name: "slow",
      async run(from, to) {
        clock.ms += (to - from) * 1000;
      },
    };
    const broken: Lane = { name: "broken", run: () => Promise.reject(new Error("out of order")) };
    const rates = await interleave([slow, broken], { rounds: 9, roundMs: 40, now: () => clock.ms });
    expect(rates.get("slow")).toEqual([1, 1, 1]);
    expect(rates.get("broken")).toEqual(new Error("out of order"));
  });

  it("never repeats a step", async () => {
    const ranges: [number, number][] = [];
    const clock = { ms: 0 };
    const run = async (from: number, to: number): Promise<void> => {
      ranges.push([from, to]);
      clock.ms += to - from;
    };
    await interleave([{ name: "a", run }], { rounds: 2, roundMs: 10, now: () => clock.ms });
    expect(ranges.slice(1).map(([from]) => from)).toEqual(ranges.slice(0, -1).map(([, to]) => to));
  });
});

describe("data", () => {
  it("has the sizes that the table names", () => {
    expect(JSON.stringify(smallValue(0))).toHaveLength(104);
    expect(JSON.stringify(smallValue(899_999))).toHaveLength(104);
    expect(JSON.stringify(largeValue(7)).length).toBeGreaterThan(9_700);
    expect(JSON.stringify(largeValue(7)).length).toBeLessThan(10_800);
  });

  it("is shuffled the same way each time", () => {
    const items = Array.from({ length: 100 }, (_, index) => index);
    expect(shuffled(items)).toEqual(shuffled(items));
    expect(shuffled(items)).not.toEqual(items);
    expect(shuffled(items).toSorted((a, b) => a - b)).toEqual(items);
  });
});

/** Values of 10 MB differ at their beginning. */
function textOf(value: Value | undefined): string | undefined {
  return value instanceof Uint8Array ? String(value.subarray(0, 16)) : JSON.stringify(value);
}

describe("cells", () => {
  it("work on any contender, and give a key another value each time it comes round", async () => {
    const subject = await plainMap.open("");
    const last = new Map<string, Value>();
    const watched: Subject = {
      ...subject,
      setExpiring: (key, value) => watched.set(key, value),
      set(key, value) {
        expect(textOf(last.get(key)) === textOf(value)).toBe(false);
        last.set(key, value);
      },
      setMany(pairs) {
        for (const [key, value] of pairs) watched.set(key, value);
      },
    };
    for (const cell of cells) {
      if (cell.name.startsWith("mix")) continue;
      last.clear();
      const steps = { small: 10_100, large: 1200, huge: 9, ordered: 10_100 }[cell.needs];
      await cell.run(watched, 0, cell.perStep > 1 ? 25 : steps);
    }
    expect(last.size).toBe(0);
  });

  it("leave out who answers wrongly", async () => {
    const forgetful: Contender = {
      ...plainMap,
      name: "forgetful",
      open: async () => ({ ...(await plainMap.open("")), get: () => undefined }),
    };
    const opened = await openAll([plainMap, forgetful], new Set(["small"]), "");
    expect([...opened.subjects.keys()]).toEqual(["Map"]);
    expect(opened.failures).toEqual({ forgetful: "get answers wrongly" });
  });
});

describe("command line", () => {
  it("understands groups, cells and haste, and refuses what there is not", () => {
    expect(parseCommandLine([])).toEqual({
      groups: groups.map(({ name }) => name),
      only: [],
      quick: false,
      merge: false,
    });
    expect(parseCommandLine(["--", "--group", "sqlite", "--only", "get,set", "--quick"])).toEqual({
      groups: ["sqlite"],
      only: ["get", "set"],
      quick: true,
      merge: false,
    });
    expect(parseCommandLine(["--group", "leveldb,redis", "--merge"])).toMatchObject({
      groups: ["leveldb", "redis"],
      merge: true,
    });
    expect(parseCommandLine(["--help"])).toBe("help");
    expect(() => parseCommandLine(["--only", "got"])).toThrow('no cell "got"');
    expect(() => parseCommandLine(["--group", "sqlite,disk"])).toThrow('no group "disk"');
  });
});

const result: GroupResult = {
  group: "sqlite",
  date: "2026-01-01T08:30:12.345Z",
  machine: { cpu: "A & B", cores: 2, memoryGb: 8, system: "Linux", node: "v24" },
  contenders: [
    { name: "@kv/sqlite", role: "ours", versions: {} },
    { name: "better-sqlite3", role: "bare", versions: {} },
    { name: "slow peer", role: "peer", versions: {} },
    { name: "fast peer", role: "peer", versions: {} },
    { name: "gone", role: "peer", versions: {}, missing: "could not be installed" },
  ],
  cells: [
    {
      cell: "get",
      rates: {
        "@kv/sqlite": [200_000, 300_000],
        "better-sqlite3": [100_000, 100_000],
        "slow peer": [1000, 1000],
        "fast peer": [100_000, 100_000],
      },
      failures: {},
    },
    {
      cell: "scan",
      rates: { "@kv/sqlite": [900], "better-sqlite3": [1000] },
      failures: { "slow peer": "crashed" },
    },
  ],
  figures: [
    { name: "start", contender: "@kv/sqlite", value: 30 },
    { name: "start", contender: "better-sqlite3", value: 20 },
    { name: "loopDelay", contender: "@kv/sqlite", value: 2, detail: "worst load: get" },
  ],
};

describe("report", () => {
  it("compares with the baseline and with the fastest peer", () => {
    const get = verdictsOf(result, result.cells[0]!, "better-sqlite3");
    expect(get.baseline).toMatchObject({ ratio: 2.5, met: true });
    expect(get.bestPeer).toMatchObject({ against: "fast peer", ratio: 2.5, met: false });
    const scan = verdictsOf(result, result.cells[1]!, "better-sqlite3");
    expect(scan.baseline).toMatchObject({ ratio: 0.9, met: false });
    expect(scan.bestPeer).toBeUndefined();
  });

  it("has a row for each cell, every row as wide as the header", () => {
    const lines = cellTable(result, "better-sqlite3").split("\n");
    expect(lines).toHaveLength(4);
    expect(new Set(lines.map(({ length }) => length)).size).toBe(1);
    expect(lines[0]).not.toContain("gone");
    expect(lines[2]).toMatch(
      /get .*250k .*100k .*1\.00k .*100k .*2\.50× .*1\.80× .*met .*2\.50× fast peer .*missed by 50 %/,
    );
    expect(lines[3]).toMatch(/range of 1,000.*900 .*1\.00k .*fails .*– .*0\.90× .*missed by 10 %/);
  });

  it("judges a start by what the bare driver needs", () => {
    const table = figureTable(result, "better-sqlite3");
    expect(table).toMatch(/first get +\| +30 ms +\| +≤ 25 ms +\| +missed by 5 ms +\| better-sqlite3 20 ms/);
    expect(table).toMatch(/delay, p99 +\| +2 ms +\| +≤ 10 ms +\| +met/);
  });

  it("says when each group was measured, and what was not measured and why", () => {
    const later: GroupResult = { ...result, group: "leveldb", date: "2026-01-02T09:00:00.000Z" };
    const text = report(
      [
        [groupOf("sqlite"), result],
        [groupOf("leveldb"), later],
      ],
      [[groupOf("redis"), "there is no server"]],
    );
    expect(text).toContain("SQLite 2026-01-01 08:30 UTC, LevelDB 2026-01-02 09:00 UTC.");
    expect(text).toMatch(/## LevelDB\n\n2026-01-02 09:00 UTC, /);
    expect(text).toMatch(/## Redis\n\nNot measured: the group redis was left out: there is no server\.\n/);
  });

  it("gives no two contenders of a panel the same colour", () => {
    const panels = groups.map(({ name, title, baseline, contenders }) => ({
      result: {
        ...result,
        group: name,
        contenders: contenders.map((each) => ({ name: each.name, role: each.role, versions: {} })),
        cells: [
          {
            cell: "get",
            rates: Object.fromEntries(contenders.map((each) => [each.name, [1]])),
            failures: {},
          },
        ],
      },
      title,
      baseline: baseline.name,
    }));
    for (const panel of chart(panels).split('class="title"').slice(1)) {
      // The legend, which is at one height.
      const colours = [...panel.matchAll(/<circle class="([^"]+)"[^>]* cy="50"/g)].map(([, name]) => name);
      expect(colours.length).toBeGreaterThan(1);
      expect(new Set(colours).size).toBe(colours.length);
    }
  });

  it("draws each cell", () => {
    const svg = chart([{ result, title: "A < B", baseline: "better-sqlite3" }]);
    expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect(svg).toContain("A &lt; B");
    expect(svg.match(/class="label"/g)).toHaveLength(2);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("puts equal factors at equal distances", () => {
    const scale = new LogScale(0.01, 1000, 0, 100);
    expect(scale.x(1) - scale.x(0.1)).toBeCloseTo(scale.x(100) - scale.x(10));
    expect(scale.ticks()).toEqual([0.01, 0.1, 1, 10, 100, 1000]);
  });

  it("shortens rates to three digits", () => {
    expect([undefined, 1.6, 54.2, 941.4, 999.7, 304_000, 15_400_000].map(formatRate)).toEqual([
      "–",
      "1.60",
      "54.2",
      "941",
      "1.00k",
      "304k",
      "15.4M",
    ]);
  });

  it("has targets for cells that there are", () => {
    const names = cells.map(({ name }) => name);
    for (const [group, targets] of Object.entries(baselineTargets)) {
      expect(groups.map(({ name }) => name)).toContain(group);
      for (const cell of Object.keys(targets)) expect(names).toContain(cell);
    }
  });
});
