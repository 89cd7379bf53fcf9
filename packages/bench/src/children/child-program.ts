import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Runs a program in a process of its own, with `gc()`. Returns the value that it sends. */
export function runChild<Answer>(program: URL, args: readonly string[]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let answer: { readonly value: Answer } | undefined;
    const child: ChildProcess = fork(fileURLToPath(program), args, {
      execArgv: ["--expose-gc"],
      // Progress and errors go to standard error, the answer through the channel.
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    child.on("message", (value) => {
      answer = { value: value as Answer };
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (answer !== undefined) resolve(answer.value);
      else reject(new Error(`${program.pathname} ended with code ${code} and without an answer`));
    });
  });
}

/** Sends the result of a child program, which ends once its parent has it. */
export function answer(value: object): void {
  process.send?.(value, () => process.disconnect());
}
