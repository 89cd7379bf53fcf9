import { spawnSync } from "node:child_process";
import { stat } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { Timeouts } from "../../src/runtime/timeouts.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const failure = (): Error => new Error("too late");
const never = new Promise<never>(() => undefined);

describe("timeouts", () => {
  it("let through what is in time, and reject each of the rest", async () => {
    const timeouts = new Timeouts(30);
    const given = [timeouts.guard(Promise.resolve(1), failure), timeouts.guard(never, failure)];
    const refused = expect(given[1]).rejects.toThrow("too late");
    expect(await given[0]).toBe(1);
    await pause(20);
    const later = timeouts.guard(never, failure);
    await refused;
    await expect(later).rejects.toThrow("too late");
    const error = new Error("its own");
    await expect(timeouts.guard(Promise.reject(error), failure)).rejects.toBe(error);
  });

  it("take the answer that arrived while the event loop was blocked", async () => {
    const timeouts = new Timeouts(5);
    const answer = timeouts.guard(new Promise((resolve) => setImmediate(() => resolve("in time"))), failure);
    const end = performance.now() + 20;
    while (performance.now() < end);
    expect(await answer).toBe("in time");
  });

  it("do not count the time of a blocked event loop, which takes no step of an answer of many", async () => {
    const timeouts = new Timeouts(100);
    const steps = async (): Promise<string> => {
      for (let step = 0; step < 20; step++) await stat(".");
      return "in time";
    };
    const answer = timeouts.guard(steps(), failure);
    const end = performance.now() + 300;
    while (performance.now() < end);
    expect(await answer).toBe("in time");
  });

  it("still reject what never answers beside an event loop that is blocked again and again", async () => {
    const timeouts = new Timeouts(100);
    let rejected = false;
    timeouts.guard(never, failure).catch(() => {
      rejected = true;
    });
    for (let block = 0; block < 50 && !rejected; block++) {
      const end = performance.now() + 70;
      while (performance.now() < end);
      await pause(30);
    }
    expect(rejected).toBe(true);
  });

  it("keep the process alive while something waits, and no longer", () => {
    const source = JSON.stringify(new URL("../../src/runtime/timeouts.ts", import.meta.url).href);
    const script = `
      const { Timeouts } = await import(${source});
      const timeouts = new Timeouts(60_000);
      await timeouts.guard(Promise.resolve(), () => new Error());
      const short = new Timeouts(50);
      await short.guard(new Promise(() => {}), () => new Error()).catch(() => console.log("rejected"));
    `;
    const args = ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script];
    const { stdout, status, signal } = spawnSync(process.execPath, args, {
      encoding: "utf8",
      timeout: 15_000,
    });
    expect({ stdout, status, signal }).toEqual({ stdout: "rejected\n", status: 0, signal: null });
  });
});
