import { expect, test } from "vitest";
import { ServerClock } from "../../src/adapter-parts/server-clock.ts";

/** Clocks that stand until they are moved, and a server that counts how often it was asked. */
function machine(serverAhead: number) {
  let wall = 1_800_000_000_000;
  let monotonic = 5_000;
  let server = wall + serverAhead;
  let latency = 4;
  let thither = 0.5;
  let asked = 0;
  const pass = (ms: number): void => {
    wall += ms;
    monotonic += ms;
    server += ms;
  };
  const clock = new ServerClock(
    async () => {
      asked++;
      pass(latency * thither);
      const answer = server;
      pass(latency * (1 - thither));
      return answer;
    },
    { wall: () => wall, monotonic: () => monotonic },
  );
  return {
    clock,
    pass,
    asked: () => asked,
    error: () => clock.now() - server,
    setWall: (ms: number) => {
      wall += ms;
    },
    suspend: (ms: number) => {
      wall += ms;
      server += ms;
    },
    correctServer: (ms: number) => {
      server += ms;
    },
    /** `part`: how much of it lies before the server's answer. */
    setLatency: (ms: number, part = 0.5) => {
      latency = ms;
      thither = part;
    },
  };
}

test("tells the server's time by one measurement, whatever this machine believes", async () => {
  const { clock, pass, error, asked } = machine(-600_000);
  await clock.sync();
  pass(3_600_000);
  expect(error()).toBe(0);
  expect(clock.sync()).toBeUndefined();
  expect(asked()).toBe(1);
});

test("is not moved by a wall clock that is set, and measures again all the same", async () => {
  const { clock, setWall, error, asked } = machine(600_000);
  await clock.sync();
  setWall(600_000);
  expect(error()).toBe(0);
  await clock.sync();
  expect(asked()).toBe(2);
  expect(error()).toBe(0);
  expect(clock.sync()).toBeUndefined();
});

test("measures again after a suspension, during which the monotonic clock stood", async () => {
  const { clock, suspend, error } = machine(0);
  await clock.sync();
  suspend(60_000);
  expect(error()).toBe(-60_000);
  await clock.sync();
  expect(error()).toBe(0);
});

test("learns of a server whose clock was set when it measures", async () => {
  const { clock, correctServer, error } = machine(0);
  await clock.sync();
  correctServer(7_000);
  await clock.measure();
  expect(error()).toBe(0);
});

test("is as right during a measurement that a sweep makes as it was before", async () => {
  const { clock, setLatency, error } = machine(0);
  await clock.sync();
  setLatency(80, 0.9);
  const measured = clock.measure();
  expect(clock.sync()).toBeUndefined();
  await Promise.resolve();
  expect(clock.sync()).toBeUndefined();
  expect(error()).toBe(0);
  await measured;
});

test("asks three times where answers are slow, and shares a measurement that is under way", async () => {
  const { clock, setLatency, asked, error } = machine(0);
  setLatency(80);
  await Promise.all([clock.sync(), clock.sync(), clock.measure()]);
  expect(asked()).toBe(3);
  expect(Math.abs(error())).toBeLessThanOrEqual(40);
});

test("agrees with a wall clock that is as right as a measurement can tell, however uneven the way of the answer was", async () => {
  const { clock, setLatency, error } = machine(0);
  setLatency(200, 0.05);
  await clock.sync();
  expect(error()).toBe(0);
});

test("rejects where the server does not answer, and tries again", async () => {
  let refuses = true;
  const clock = new ServerClock(async () => {
    if (refuses) throw new Error("gone");
    return 42_000;
  });
  await expect(clock.sync()).rejects.toThrow("gone");
  refuses = false;
  await clock.sync();
  expect(clock.now()).toBeGreaterThanOrEqual(42_000);
  expect(clock.now()).toBeLessThan(102_000);
});
