import { type Commit, namespaceOf, SessionRevisions, type SetMutation } from "@kv/core";
import { expect, test } from "vitest";
import type { Link } from "../src/connection/link.ts";
import { SET } from "../src/scripts/set-script.ts";
import { Layout } from "../src/stored/layout.ts";
import { Target } from "../src/write/script-target.ts";
import { Writer } from "../src/write/writer.ts";

function set(key: string): SetMutation {
  return {
    type: "set",
    key,
    payload: "1",
    encoding: "json",
    expiresAt: undefined,
    policy: "persist",
    user: undefined,
  };
}

/** A writer whose scripts return the given results. */
function writerOver(run: Link["run"]): Writer {
  const layout = new Layout({ prefix: "kv:", partitions: 1, ordered: true, db: 0 });
  return new Writer(new Target({ run } as Link, layout, new SessionRevisions(6), Date.now));
}

const plain: Commit = { checks: [], mutations: [set("a")] };
const checked: Commit = { checks: [{ key: "b", revision: null }], mutations: [set("b")] };

test("of two scripts that fail each gives its own reason to its own commits", async () => {
  const [refused, doubtful] = [new Error("refused"), new Error("doubtful")];
  const writer = writerOver((script) => Promise.reject(script === SET ? refused : doubtful));
  expect(await writer.commit(namespaceOf([]), [plain, checked])).toEqual([
    { status: "error", error: refused },
    { status: "error", error: doubtful },
  ]);
});

test("a script that fails alone rejects the whole", async () => {
  const refused = new Error("refused");
  const writer = writerOver(() => Promise.reject(refused));
  await expect(writer.commit(namespaceOf([]), [plain])).rejects.toBe(refused);
});
