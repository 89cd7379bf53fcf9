import { describe, expect, test } from "vitest";
import { ClusterWriteCommand, WriteCommand } from "../../src/connection/write-command.ts";

const PING = "*1\r\n$4\r\nPING\r\n";

function reply(message: string): Error {
  const error = new Error(message);
  error.name = "ReplyError";
  return error;
}

/** Puts its own `reject` before the command's, like a Cluster's client, to decide whether to send the command again. */
function redirecting(command: ClusterWriteCommand, again: () => void): void {
  const reject = command.reject;
  command.reject = (error) => {
    if (error.message.startsWith("MOVED") || error.message === "Connection is closed.") again();
    else reject.call(command, error);
  };
}

describe("a command that writes", () => {
  test("is written once; whoever sends it again sends something harmless", () => {
    const command = new WriteCommand("set", ["k", "v"]);
    expect(command.inDoubt(new Error("never sent"))).toBe(false);
    expect(command.toWritable({})).toContain("set");
    expect(command.inDoubt(new Error("Connection is closed."))).toBe(true);
    expect(command.inDoubt(reply("OOM"))).toBe(false);
    expect(command.toWritable({})).toBe(PING);
    expect(command.repeated).toBe(true);
    expect(command.inDoubt(reply("whatever PING was answered"))).toBe(true);
  });

  test("goes out again where a node refused it, and not where its answer was lost", async () => {
    const command = new ClusterWriteCommand("set", ["k", "v"]);
    const sent: string[] = [];
    redirecting(command, () => sent.push(String(command.toWritable({}))));
    sent.push(String(command.toWritable({})));
    command.reject(reply("MOVED 1 127.0.0.1:1"));
    expect(sent.map((text) => text === PING)).toEqual([false, false]);
    expect(command.inDoubt(undefined)).toBe(true);
    command.reject(new Error("Connection is closed."));
    expect(sent.map((text) => text === PING)).toEqual([false, false, true]);
    expect(command.repeated).toBe(true);
  });

  test("that was refused in the end is not in doubt", async () => {
    const command = new ClusterWriteCommand("set", ["k", "v"]);
    command.toWritable({});
    const error = reply("CLUSTERDOWN");
    command.reject(error);
    await expect(command.promise).rejects.toBe(error);
    expect(command.inDoubt(error)).toBe(false);
  });
});
