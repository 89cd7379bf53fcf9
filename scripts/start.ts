// `npm start`: builds every package, then runs the tour as a user's program would, on the built packages.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

function run(...args: string[]): void {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

run("node_modules/typescript/bin/tsc", "-b");
run("scripts/bundle.ts");
run("packages/tour/dist/main.js", ...process.argv.slice(2));
