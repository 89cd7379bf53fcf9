import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { leash } from "../leash.ts";

export interface RedisProcessOptions {
  /** The arguments for the port and the directory of each attempt. */
  readonly args: (place: { port: number; directory: string }) => readonly string[];
  /** The text that the server prints once it is ready. */
  readonly ready?: RegExp;
}

/** A `redis-server` that only one test uses, and may kill, pause and start again. */
export class RedisProcess {
  readonly host = "127.0.0.1";
  readonly port: number;
  readonly #directory: string;
  readonly #options: RedisProcessOptions;
  readonly #releaseDirectory: () => void;
  #child: ChildProcess | undefined;

  /** On a free port, with a temporary directory. */
  static async start(options: RedisProcessOptions): Promise<RedisProcess> {
    for (let attempt = 1; ; attempt++) {
      const server = new RedisProcess(await freePort(), options);
      try {
        await server.start();
        return server;
      } catch (error) {
        await server.stop();
        // Another test took the port between the check and the start.
        if (attempt === 5 || !/in use|listening/i.test(String(error))) throw error;
      }
    }
  }

  private constructor(port: number, options: RedisProcessOptions) {
    this.port = port;
    this.#options = options;
    this.#directory = mkdtempSync(join(tmpdir(), "kv-redis-"));
    this.#releaseDirectory = leash("directory", this.#directory);
  }

  get url(): string {
    return `redis://${this.host}:${this.port}`;
  }

  /** Starts it again after `kill`, on the same port and with the data in its directory. */
  async start(): Promise<void> {
    const { args, ready = /Ready to accept connections/ } = this.#options;
    const child = spawn("redis-server", args({ port: this.port, directory: this.#directory }), {
      cwd: this.#directory,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    if (child.pid !== undefined) {
      const release = leash("process", child.pid);
      child.once("exit", release);
    }
    await new Promise<void>((resolve, reject) => {
      let output = "";
      const read = (chunk: Buffer): void => {
        output += chunk.toString();
        if (!ready.test(output)) return;
        settled();
        resolve();
      };
      const failed = (why: string): void => {
        settled();
        reject(new Error(`redis-server ${why}:\n${output.trim()}`));
      };
      const exited = (code: number | null, signal: string | null): void =>
        failed(`ended with ${signal ?? code}`);
      const broken = (error: Error): void => failed(error.message);
      const deadline = setTimeout(() => failed("was not ready within 20 s"), 20_000);
      const settled = (): void => {
        clearTimeout(deadline);
        child.off("exit", exited).off("error", broken);
        for (const stream of [child.stdout, child.stderr]) {
          stream.off("data", read);
          // Read on, or a full pipe would stop the server.
          stream.resume();
        }
      };
      child.on("exit", exited).on("error", broken);
      child.stdout.on("data", read);
      child.stderr.on("data", read);
    });
  }

  /** Ends it like a crash. `start` starts it again. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  }

  /** Connections stay open, and nothing is answered until `resume`. */
  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
    this.#releaseDirectory();
  }
}

/** The arguments of every test server: loopback only, nothing on disk. */
export function plainServer({ port, directory }: { port: number; directory: string }): string[] {
  const listen = ["--port", String(port), "--bind", "127.0.0.1"];
  return [...listen, "--dir", directory, "--save", "", "--appendonly", "no"];
}
