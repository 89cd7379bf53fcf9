// `npm start` and `npm test` on a machine with only Node >= 20 and npm: installs the pinned dependencies, then runs the
// task under the pinned Node. Plain JavaScript, because it starts under the machine's own Node.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const pnpm = manifest.packageManager; // "pnpm@<version>"
const nodeVersion = `v${manifest.devDependencies.node}`;
const runtime = join(root, "node_modules/node/bin", process.platform === "win32" ? "node.exe" : "node");
const stamp = join(root, "node_modules/.kv-installed");

const [task, ...args] = process.argv.slice(2);
if (task !== "start" && task !== "test") fail("usage: node scripts/bootstrap.mjs start|test [arguments]");
if (Number(process.versions.node.split(".")[0]) < 20) {
  fail(`Node >= 20 is needed to start; this is ${process.version}.`);
}

const env = childEnvironment();
if (!isInstalled()) install();
process.exit(
  run(runtime, [join(root, `scripts/${task}.ts`), ...args], { env: { ...env, PATH: runtimePath() } }),
);

/** A hash of the inputs of an installation. A second run with the same inputs installs nothing. */
function fingerprint() {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch} ${pnpm}`);
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml"]) hash.update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

function isInstalled() {
  return (
    existsSync(stamp) && readFileSync(stamp, "utf8") === fingerprint() && runtimeVersion() === nodeVersion
  );
}

function runtimeVersion() {
  return existsSync(runtime)
    ? spawnSync(runtime, ["--version"], { encoding: "utf8" }).stdout?.trim()
    : undefined;
}

function install() {
  const [command, prefix] = findPnpm();
  const how = [command, ...prefix].join(" ").replace(process.execPath, "node");
  console.log(
    `Installing the pinned dependencies and Node ${nodeVersion} (once): ${how} install --frozen-lockfile`,
  );
  // NODE_ENV=production would omit the development dependencies; with CI, pnpm asks no questions.
  const { NODE_ENV: _, ...rest } = env;
  const options = { env: { ...rest, CI: "true", COREPACK_ENABLE_DOWNLOAD_PROMPT: "0" } };
  const installArgs = [...prefix, "install", "--frozen-lockfile", "--prod=false", "--loglevel=error"];
  if (run(command, installArgs, options) !== 0) {
    fail(
      "The dependencies could not be installed; the reason is above. The first run needs npm's registry: " +
        "check the network, the proxy (https_proxy) and npm's `registry` setting, then run the same command again. " +
        "After a change of a package.json, `pnpm install` brings the lockfile up to date.",
    );
  }
  const version = runtimeVersion();
  if (version !== nodeVersion) {
    fail(
      `Node ${nodeVersion} is missing after the install (found: ${version ?? "nothing"}). The install script of the ` +
        "`node` package places it: are install scripts switched off (`ignore-scripts`)? Otherwise remove node_modules " +
        "and run the same command again.",
    );
  }
  writeFileSync(stamp, fingerprint());
}

/** The machine's pnpm if it is the pinned version, else npm, which fetches that version into its own cache. */
function findPnpm() {
  const found = spawnSync("pnpm", ["--version"], {
    cwd: root,
    encoding: "utf8",
    env: { ...env, COREPACK_ENABLE_DOWNLOAD_PROMPT: "0" },
    shell: process.platform === "win32",
    stdio: ["ignore", "pipe", "ignore"],
  });
  if (found.status === 0 && `pnpm@${found.stdout.trim()}` === pnpm) return ["pnpm", []];
  const npmExec = ["exec", "--yes", `--package=${pnpm}`, "--", "pnpm"];
  const npm = process.env.npm_execpath;
  return npm?.endsWith("npm-cli.js") ? [process.execPath, [npm, ...npmExec]] : ["npm", npmExec];
}

/**
 * npm passes its whole configuration on as npm_config_* variables. pnpm, and npm inside an install script, would take
 * them for their own settings, so only the variables that concern access to the registry are kept.
 */
function childEnvironment() {
  const reach =
    /^npm_config_(registry|userconfig|globalconfig|https?_proxy|proxy|no_?proxy|cafile|ca|strict_ssl|@|\/\/)/;
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^npm_(config|package|lifecycle|command|node)/.test(name) || reach.test(name),
  );
  const result = Object.fromEntries(entries);
  Object.assign(result, {
    TURBO_TELEMETRY_DISABLED: "1",
    DO_NOT_TRACK: "1",
    npm_config_update_notifier: "false",
  });
  if (!isWritable(homedir())) {
    const home = join(root, ".cache/home");
    mkdirSync(home, { recursive: true });
    for (const name of Object.keys(result)) if (/^(XDG_\w+_HOME|PNPM_HOME)$/.test(name)) delete result[name];
    Object.assign(result, { HOME: home, npm_config_cache: join(home, ".npm") });
  }
  return result;
}

function isWritable(folder) {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** With the pinned Node first, so that processes which a task starts as `node` use it, too. */
function runtimePath() {
  const separator = process.platform === "win32" ? ";" : ":";
  return [join(root, "node_modules/node/bin"), process.env.PATH].filter(Boolean).join(separator);
}

function run(command, commandArgs, options) {
  const result = spawnSync(command, commandArgs, {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32" && !command.endsWith(".exe"),
    ...options,
  });
  if (result.error) console.error(`${command}: ${result.error.message}`);
  return result.status ?? 1;
}

function fail(message) {
  console.error(`\n${message}`);
  if (task === "test") console.log("0 passed, 1 failed, 0 skipped");
  process.exit(1);
}
