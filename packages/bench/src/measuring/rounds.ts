// A loop of our own: tinybench and mitata run one task to its end before they begin the next, and what the machine does
// meanwhile (its clock, its neighbours, a checkpoint) then looks like a difference between contenders. Here the lanes
// take turns: A B C, B C A, C A B, …

/** One contender at one kind of work. */
export interface Lane {
  readonly name: string;
  /** Makes the steps `from` (included) to `to` (excluded). */
  run(from: number, to: number): Promise<void>;
}

export interface Plan {
  readonly rounds: number;
  /** How long one lane's part of a round should take. */
  readonly roundMs: number;
  /** Returns milliseconds. Default: the clock. */
  readonly now?: () => number;
}

/** Steps a second, round by round; the same index is the same round. */
export type Rates = number[];

/** A lane whose single step takes longer than this many times its part of a round gets fewer rounds. */
const SLOW = 3;
const ROUNDS_IF_SLOW = 3;

export async function interleave(lanes: readonly Lane[], plan: Plan): Promise<Map<string, Rates | Error>> {
  const results = new Map<string, Rates | Error>();
  const runners: Runner[] = [];
  for (const lane of lanes) {
    const runner = new Runner(lane, plan);
    const failure = await attempt(() => runner.warmUp());
    results.set(lane.name, failure ?? runner.rates);
    if (failure === undefined) runners.push(runner);
  }
  for (let round = 0; round < plan.rounds; round++) {
    for (let turn = 0; turn < runners.length; turn++) {
      const runner = runners[(round + turn) % runners.length]!;
      if (round >= runner.rounds || results.get(runner.name) instanceof Error) continue;
      const failure = await attempt(() => runner.measure());
      if (failure !== undefined) results.set(runner.name, failure);
    }
  }
  return results;
}

class Runner {
  readonly name: string;
  readonly rates: Rates = [];
  rounds: number;
  readonly #lane: Lane;
  readonly #now: () => number;
  readonly #roundMs: number;
  /** The steps continue from round to round, so that no key gets the same value again. */
  #position = 0;
  #steps = 1;

  constructor(lane: Lane, { rounds, roundMs, now = () => performance.now() }: Plan) {
    this.name = lane.name;
    this.rounds = rounds;
    this.#lane = lane;
    this.#roundMs = roundMs;
    this.#now = now;
  }

  /** Finds how many steps a round needs, and has the code compiled by then. */
  async warmUp(): Promise<void> {
    await settled();
    let took = await this.#run();
    while (took < this.#roundMs / 2) {
      this.#steps *= took < this.#roundMs / 20 ? 8 : 2;
      took = await this.#run();
    }
    if (took > this.#roundMs * SLOW && this.#steps === 1) this.rounds = Math.min(this.rounds, ROUNDS_IF_SLOW);
    this.#steps = Math.max(1, Math.round((this.#steps * this.#roundMs) / took));
    // The doubling runs on code that is still being compiled; the second guess is the better one.
    if (this.#steps > 1)
      this.#steps = Math.max(1, Math.round((this.#steps * this.#roundMs) / (await this.#run())));
  }

  async measure(): Promise<void> {
    await settled();
    const took = await this.#run();
    this.rates.push((this.#steps * 1000) / took);
  }

  async #run(): Promise<number> {
    const from = this.#position;
    this.#position += this.#steps;
    const started = this.#now();
    await this.#lane.run(from, this.#position);
    return this.#now() - started;
  }
}

/**
 * Lets the remains of the lane before be freed. Collecting garbage is not enough: native objects (a peer's statements, one
 * per call) are freed in a later turn of the event loop, and the first lane that yields would pay for it.
 */
async function settled(): Promise<void> {
  await turn();
  globalThis.gc?.();
  let quiet = 0;
  while (quiet < QUIET_TURNS) {
    const started = performance.now();
    await turn();
    quiet = performance.now() - started < QUIET_MS ? quiet + 1 : 0;
  }
}

const QUIET_TURNS = 3;
const QUIET_MS = 0.5;

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

async function attempt(work: () => Promise<void>): Promise<Error | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
