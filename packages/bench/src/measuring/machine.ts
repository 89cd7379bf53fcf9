import { availableParallelism, cpus, release, totalmem, type } from "node:os";
import { ownVersion, peerVersion } from "../peers.ts";
import type { Machine } from "../report/result.ts";
import type { Contender } from "../workload/contender.ts";

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release().split("-", 1)[0]}, ${process.arch}`,
    node: process.version,
  };
}

export function versionsOf({ role, packages }: Contender): Record<string, string> {
  const find = role === "peer" ? peerVersion : ownVersion;
  return Object.fromEntries(packages.map((name) => [name, find(name) ?? "not installed"]));
}
