import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Adapter, isError, isUrl, KvError } from "@kv/core";
import type { KnownAdapter } from "./known-adapters.ts";
import { installCommand } from "./package-manager.ts";

/** An adapter's factory, before it has checked its options. */
export type Factory = (options: object) => Adapter;

/**
 * Imports the package of an adapter, as the user's project has it.
 * @throws KvError `KV_UNSUPPORTED` where it is not installed, `KV_BACKEND` where it cannot be loaded
 */
export async function adapterFactory(
  adapter: KnownAdapter,
  from: string | URL | undefined,
): Promise<Factory> {
  const projects = from === undefined ? [process.cwd(), ...programFolder()] : [folderOf(from)];
  const module = await importFrom(adapter, projects);
  const factory = module[adapter.name];
  if (typeof factory === "function") return factory as Factory;
  throw failure(
    "KV_BACKEND",
    adapter,
    `${adapter.package} exports no ${adapter.name}(): install versions of it and of @kv/config that belong together`,
  );
}

/** The folder of the running program: a service is not always started in its own folder. */
function programFolder(): string[] {
  const program = process.argv[1];
  if (program === undefined) return [];
  try {
    // Package managers start programs through symbolic links.
    return [dirname(realpathSync(program))];
  } catch {
    return [];
  }
}

function folderOf(from: string | URL): string {
  return resolve(isUrl(from) || from.startsWith("file:") ? fileURLToPath(String(from)) : from);
}

async function importFrom(
  adapter: KnownAdapter,
  projects: readonly string[],
): Promise<Record<string, unknown>> {
  try {
    for (const folder of projects) {
      const path = resolvedFrom(folder, adapter.package);
      if (path !== undefined) return await import(pathToFileURL(path).href);
    }
    return await import(adapter.package);
  } catch (cause) {
    if (isMissing(cause, adapter.package)) throw notInstalled(adapter, projects[0] ?? ".");
    const reason = isError(cause) ? cause.message : String(cause);
    throw failure("KV_BACKEND", adapter, `the package ${adapter.package} cannot be loaded: ${reason}`, cause);
  }
}

function resolvedFrom(folder: string, name: string): string | undefined {
  try {
    // Resolution starts at a file in the folder, which need not exist.
    return createRequire(resolve(folder, "kv.config.js")).resolve(name);
  } catch (error) {
    if (isMissing(error, name)) return undefined;
    throw error;
  }
}

/** Whether this package itself is missing, and not one that it depends on. */
function isMissing(error: unknown, name: string): boolean {
  if (!isError(error) || !("code" in error)) return false;
  return (
    (error.code === "MODULE_NOT_FOUND" || error.code === "ERR_MODULE_NOT_FOUND") &&
    error.message.includes(`'${name}'`)
  );
}

function notInstalled(adapter: KnownAdapter, project: string): KvError {
  const command = installCommand(project, adapter.package);
  return failure(
    "KV_UNSUPPORTED",
    adapter,
    `the package ${adapter.package} is not installed in ${project}; run: ${command}`,
  );
}

function failure(
  code: "KV_UNSUPPORTED" | "KV_BACKEND",
  adapter: KnownAdapter,
  message: string,
  cause?: unknown,
): KvError {
  return new KvError(code, { adapter: adapter.name, operation: "openStore", message, cause });
}
